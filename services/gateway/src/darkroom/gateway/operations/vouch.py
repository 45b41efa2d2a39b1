"""Vouch for a caller: passports are signed once per caller and reused for half their life."""

import time
from collections.abc import Callable
from typing import Final

from darkroom.contracts.claims import PASSPORT_TTL_SECONDS
from darkroom.contracts.surfaces import Surface
from darkroom.gateway.operations.caller import Caller
from darkroom.gateway.operations.memory import Memory
from darkroom.platform.auth.passport import PassportSigner

# The other half is what a request may take until its last service has read the passport.
REUSE_SECONDS: Final = PASSPORT_TTL_SECONDS / 2
# A passport is about 1 kB; one per active caller and surface.
CAPACITY: Final = 10_000


class PassportOffice:
    """Hand out passports."""

    def __init__(self, signer: PassportSigner, *, clock: Callable[[], float] = time.time) -> None:
        self._signer = signer
        self._clock = clock
        self._issued: Memory[tuple[Caller, Surface, str], str] = Memory(
            capacity=CAPACITY, clock=clock
        )

    def passport(self, caller: Caller, *, surface: Surface, client: str) -> str:
        """Return a passport with at least half its life left."""
        subject = (caller, surface, client)
        token = self._issued.recall(subject)
        if token is None:
            now = int(self._clock())
            token = self._signer.sign(caller.principal, surface=surface, client=client, now=now)
            self._issued.keep(subject, token, seconds=REUSE_SECONDS)
        return token
