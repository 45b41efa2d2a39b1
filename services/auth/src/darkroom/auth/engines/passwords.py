"""argon2id on threads of its own: as many at once as there are cores, a short queue, then no."""

import asyncio
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import argon2
from argon2.exceptions import VerifyMismatchError

from darkroom.platform.errors import Unavailable

# OWASP's first choice for argon2id: 46 MiB, one pass, one lane.
MEMORY_KIB: Final = 46 * 1024
PASSES: Final = 1
LANES: Final = 1
# One hash takes some 60 ms of a core, so whoever is let in waits half a second at most.
WAITING_PER_CORE: Final = 8

T = TypeVar("T")


class PasswordHasher:
    def __init__(self, *, cores: int | None = None) -> None:
        cores = cores or len(os.sched_getaffinity(0))
        self._argon2 = argon2.PasswordHasher(PASSES, MEMORY_KIB, LANES)
        self._threads = ThreadPoolExecutor(cores, thread_name_prefix="argon2")
        self._places = cores * (1 + WAITING_PER_CORE)
        # Verified where there is no account, so that the answer takes as long as where there is.
        self._nobody = self._argon2.hash(secrets.token_hex())

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._argon2.hash(password))

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Tell whether a password fits; no hash, which fits nothing, costs the same work."""
        is_right = await self._run(lambda: self._verify(password_hash or self._nobody, password))
        return is_right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return self._argon2.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except VerifyMismatchError:
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._places == 0:
            raise Unavailable("Too many people sign in at this moment; try again.", reason="full")
        self._places -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._places += 1
