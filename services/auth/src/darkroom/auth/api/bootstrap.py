"""`python -m darkroom.auth bootstrap`: JSON in, JSON out, for whoever sets an installation up."""

from collections.abc import Collection
from datetime import UTC, datetime

from pydantic import BaseModel, Field, SecretStr, ValidationError

from darkroom.auth.domain.key import KeyKind
from darkroom.auth.domain.sign_up import SignUp, username_from
from darkroom.auth.operations.bootstrap import ensure_account, ensure_keys
from darkroom.auth.wiring import Resources
from darkroom.contracts.claims import Role
from darkroom.platform.db.session import transaction
from darkroom.platform.errors import Malformed


class WantedAccount(BaseModel):
    email: str
    password: SecretStr
    username: str | None = None
    plan: str = "unlimited"

    def sign_up(self) -> SignUp:
        return SignUp(
            email=self.email,
            password=self.password.get_secret_value(),
            username=self.username or username_from(self.email),
            age_confirmed=True,
            plan=self.plan,
        )


class Order(BaseModel):
    """What to make; `keys` are those of an earlier run, kept as far as they still open."""

    admin: WantedAccount
    demo: WantedAccount
    keys: dict[KeyKind, str] = Field(default_factory=dict)


class Made(BaseModel):
    keys: dict[KeyKind, str]


async def bootstrap(resources: Resources, order_text: str) -> str:
    """Carry out an order in one transaction; a repeated one changes nothing."""
    order = _read(order_text, plans=resources.issuer.plans.keys())
    now, hasher = datetime.now(UTC), resources.hasher
    async with transaction(resources.sessions) as session:
        await ensure_account(
            session, order.admin.sign_up(), role=Role.ADMIN, hasher=hasher, now=now
        )
        demo = await ensure_account(
            session, order.demo.sign_up(), role=Role.USER, hasher=hasher, now=now
        )
        keys = await ensure_keys(
            session, order.keys, owner=demo.id, pepper=resources.issuer.pepper, now=now
        )
    return Made(keys=keys).model_dump_json()


def _read(text: str, *, plans: Collection[str]) -> Order:
    try:
        order = Order.model_validate_json(text)
    except ValidationError as error:
        # The places only: what stands there may be a password.
        places = ", ".join(
            ".".join(map(str, detail["loc"])) or "the whole" for detail in error.errors()
        )
        raise Malformed(f"The order on standard input is not as expected at: {places}.") from error
    for account in (order.admin, order.demo):
        if account.plan not in plans:
            raise Malformed(f"There is no plan called {account.plan!r}.")
    return order
