import asyncio
from dataclasses import dataclass, field

import pytest

from darkroom.contracts.claims import DEFAULT_PLANS, CredentialKind, Principal
from darkroom.contracts.ids import new_id
from darkroom.contracts.surfaces import Surface
from darkroom.gateway.operations.caller import Caller
from darkroom.gateway.operations.keys import (
    KNOWN_SECONDS,
    KNOWN_SECONDS_UNHEARD,
    KeyBook,
)
from darkroom.gateway.operations.memory import Memory
from darkroom.gateway.operations.vouch import REUSE_SECONDS, PassportOffice
from darkroom.platform.auth.apikeys import mint
from darkroom.platform.auth.keys import SigningKey
from darkroom.platform.auth.passport import PassportSigner
from darkroom.platform.errors import Unauthenticated

KEY = mint("pk")


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeAuth:
    holder: Principal | None
    asked: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def check(self, key: str) -> Principal | None:
        self.asked += 1
        holder = self.holder
        await self.gate.wait()
        return holder


@dataclass
class Desk:
    """A key book with its clock, its auth and its hearing."""

    auth: FakeAuth
    clock: Clock = field(default_factory=Clock)
    hears: bool = True

    def __post_init__(self) -> None:
        self.book = KeyBook(self.auth.check, hears_revocations=lambda: self.hears, clock=self.clock)


@pytest.fixture
async def desk() -> Desk:
    principal = Principal(
        credential=CredentialKind.KEY,
        account_id=new_id(),
        key_id=new_id(),
        limits=DEFAULT_PLANS["free"],
    )
    desk = Desk(FakeAuth(principal))
    desk.auth.gate.set()
    return desk


def test_a_memory_forgets_by_time_and_by_use() -> None:
    clock = Clock()
    memory: Memory[str, int] = Memory(capacity=2, clock=clock)
    memory.keep("a", 1, seconds=10)
    memory.keep("b", 2, seconds=5)
    assert memory.recall("a") == 1
    memory.keep("c", 3, seconds=10)
    assert memory.recall("b") is None
    clock.now = 10
    assert memory.recall("a") is None


async def test_an_answer_is_believed_for_its_time(desk: Desk) -> None:
    await desk.book.holder(KEY)
    desk.clock.now = KNOWN_SECONDS - 1
    await desk.book.holder(KEY)
    assert desk.auth.asked == 1
    desk.clock.now = KNOWN_SECONDS
    await desk.book.holder(KEY)
    assert desk.auth.asked == 2


async def test_an_answer_is_believed_for_less_while_revocations_cannot_be_heard(
    desk: Desk,
) -> None:
    await desk.book.holder(KEY)
    desk.hears = False
    desk.clock.now = KNOWN_SECONDS_UNHEARD + 1
    await desk.book.holder(KEY)
    assert desk.auth.asked == 2


async def test_a_revocation_that_overtakes_an_answer_wins(desk: Desk) -> None:
    desk.auth.gate.clear()
    asking = asyncio.create_task(desk.book.holder(KEY))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert desk.auth.holder is not None
    assert desk.auth.holder.key_id is not None
    desk.book.revoke(desk.auth.holder.key_id)
    desk.auth.gate.set()
    with pytest.raises(Unauthenticated):
        await asking
    with pytest.raises(Unauthenticated):
        await desk.book.holder(KEY)


async def test_an_answer_asked_for_before_everything_was_forgotten_is_not_kept(
    desk: Desk,
) -> None:
    desk.auth.gate.clear()
    asking = asyncio.create_task(desk.book.holder(KEY))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    desk.book.forget_all()
    desk.auth.gate.set()
    await asking
    await desk.book.holder(KEY)
    assert desk.auth.asked == 2


async def test_one_caller_who_gives_up_does_not_take_the_answer_from_another(desk: Desk) -> None:
    desk.auth.gate.clear()
    first = asyncio.create_task(desk.book.holder(KEY))
    second = asyncio.create_task(desk.book.holder(KEY))
    await asyncio.sleep(0.01)
    first.cancel()
    desk.auth.gate.set()
    assert (await second).principal == desk.auth.holder
    assert desk.auth.asked == 1


def test_a_passport_is_reused_for_half_its_life(signing_key: SigningKey) -> None:
    clock = Clock()
    office = PassportOffice(PassportSigner(signing_key), clock=clock)
    caller = Caller(
        Principal(credential=CredentialKind.ANONYMOUS, limits=DEFAULT_PLANS["anonymous"])
    )
    first = office.passport(caller, surface=Surface.PARTR, client="a")
    clock.now = REUSE_SECONDS - 1
    assert office.passport(caller, surface=Surface.PARTR, client="a") == first
    assert office.passport(caller, surface=Surface.PICHR, client="a") != first
    assert office.passport(caller, surface=Surface.PARTR, client="b") != first
    clock.now = REUSE_SECONDS
    assert office.passport(caller, surface=Surface.PARTR, client="a") != first
