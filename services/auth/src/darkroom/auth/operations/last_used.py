"""When keys were last used: noted in memory as they are checked, written a moment later."""

from datetime import datetime
from uuid import UUID

from darkroom.auth.domain.key import LAST_USED_EVERY
from darkroom.auth.store.keys import APIKeys
from darkroom.platform.db.session import SessionFactory, transaction


class LastUsed:
    """Take at most one note a minute of each key; hold no more than a minute's worth of keys."""

    def __init__(self) -> None:
        self._noted: dict[UUID, datetime] = {}
        self._unwritten: dict[UUID, datetime] = {}

    def note(self, key_id: UUID, *, now: datetime) -> None:
        noted_at = self._noted.get(key_id)
        if noted_at is not None and now - noted_at < LAST_USED_EVERY:
            return
        self._noted[key_id] = now
        self._unwritten[key_id] = now

    async def write(self, sessions: SessionFactory, *, now: datetime) -> None:
        """Write what was noted; if that fails the notes are kept for the next time."""
        self._forget_before(now - LAST_USED_EVERY)
        if not self._unwritten:
            return
        notes, self._unwritten = self._unwritten, {}
        try:
            async with transaction(sessions) as session:
                await APIKeys(session).note_used(notes)
        except BaseException:
            self._unwritten = notes | self._unwritten
            raise

    def _forget_before(self, moment: datetime) -> None:
        self._noted = {key: noted for key, noted in self._noted.items() if noted > moment}
