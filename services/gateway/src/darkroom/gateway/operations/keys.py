"""Ask auth about API keys, seldom: answers are remembered, and dropped when a key is revoked."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from darkroom.contracts.claims import Principal
from darkroom.gateway.operations.caller import Caller
from darkroom.gateway.operations.memory import Memory
from darkroom.platform.auth.apikeys import looks_valid
from darkroom.platform.errors import Unauthenticated

# The longest a revocation may go unnoticed when its notice is lost with this process's connection.
KNOWN_SECONDS: Final = 30.0
# While the broker is away no notice can come, so answers are trusted for less.
KNOWN_SECONDS_UNHEARD: Final = 5.0
# A key that opens nothing never begins to; the time only bounds what a flood of them keeps here.
UNKNOWN_SECONDS: Final = 10.0
# Callers active within half a minute; a principal takes about 1 kB.
CAPACITY: Final = 10_000
# Notices of revocation outlive the questions that were under way when they came.
REVOKED_SECONDS: Final = 60.0

# Answers who holds a key, None for nobody; raises Unavailable when it cannot be told.
KeyCheck = Callable[[str], Awaitable[Principal | None]]


class KeyBook:
    """Tell who holds a key. Keys are remembered by their digest only."""

    def __init__(
        self,
        check: KeyCheck,
        *,
        hears_revocations: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._check = check
        self._hears_revocations = hears_revocations
        self._clock = clock
        self._known: Memory[bytes, tuple[float, Caller]] = Memory(capacity=CAPACITY, clock=clock)
        # Apart from the known ones, so that a flood of wrong keys pushes out no right one.
        self._unknown: Memory[bytes, bool] = Memory(capacity=CAPACITY, clock=clock)
        self._revoked: Memory[UUID, bool] = Memory(capacity=CAPACITY, clock=clock)
        self._asking: dict[bytes, asyncio.Task[Caller | None]] = {}

    async def holder(self, key: str) -> Caller:
        """Return the key's holder; raises Unauthenticated for a key that opens nothing.

        A key whose checksum does not hold is refused without asking anybody, also while auth
        is away; Unavailable is raised only for one that may be good.
        """
        digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()
        caller = self._recall(digest)
        if caller is not None:
            return caller
        if not looks_valid(key) or self._unknown.recall(digest):
            raise Unauthenticated(reason="key")
        caller = await self._ask_once(digest, key)
        if caller is None or self._is_revoked(caller):
            raise Unauthenticated(reason="key")
        return caller

    def revoke(self, key_id: UUID) -> None:
        """Forget a key now, and distrust answers about it that are still on their way."""
        self._revoked.keep(key_id, value=True, seconds=REVOKED_SECONDS)
        self._known.forget_where(lambda known: known[1].principal.key_id == key_id)

    def forget_all(self) -> None:
        """Forget every answer, as after a time in which notices may have been missed."""
        self._known.clear()
        # Answers on their way may be older than a notice that was missed.
        self._asking.clear()

    def _recall(self, digest: bytes) -> Caller | None:
        known = self._known.recall(digest)
        if known is None:
            return None
        asked_at, caller = known
        is_old = self._clock() - asked_at > KNOWN_SECONDS_UNHEARD
        return None if is_old and not self._hears_revocations() else caller

    async def _ask_once(self, digest: bytes, key: str) -> Caller | None:
        """Ask, or join whoever asks about the same key already."""
        task = self._asking.get(digest)
        if task is None:
            task = asyncio.create_task(self._ask(digest, key))
            self._asking[digest] = task
            task.add_done_callback(lambda done: self._asked(digest, done))
        # One caller who gives up must not take the answer from the others.
        return await asyncio.shield(task)

    async def _ask(self, digest: bytes, key: str) -> Caller | None:
        asked_at = self._clock()
        principal = await self._check(key)
        caller = None if principal is None else Caller(principal)
        if self._asking.get(digest) is not asyncio.current_task():
            return caller
        if caller is None:
            self._unknown.keep(digest, value=True, seconds=UNKNOWN_SECONDS)
        elif not self._is_revoked(caller):
            self._known.keep(digest, (asked_at, caller), seconds=KNOWN_SECONDS)
        return caller

    def _asked(self, digest: bytes, task: asyncio.Task[Caller | None]) -> None:
        if self._asking.get(digest) is task:
            del self._asking[digest]
        if not task.cancelled():
            # Looked at here, so that a failure nobody waits for any more is no complaint.
            task.exception()

    def _is_revoked(self, caller: Caller) -> bool:
        key_id = caller.principal.key_id
        return key_id is not None and self._revoked.recall(key_id) is not None
