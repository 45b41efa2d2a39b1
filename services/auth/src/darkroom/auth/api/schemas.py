"""Requests and replies as the pichr surface spells them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StringConstraints,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from darkroom.auth.domain.account import Account
from darkroom.auth.domain.key import APIKey, KeyKind, MintedKey, WantedKey
from darkroom.auth.domain.password import MAX_CHARACTERS
from darkroom.auth.domain.session import SignedIn
from darkroom.auth.domain.sign_up import SignUp
from darkroom.auth.operations.accounts import Welcome
from darkroom.contracts.claims import ALL_SCOPES, Role, Scope
from darkroom.contracts.ids import Prefix, encode_id

Trimmed = Annotated[str, StringConstraints(strip_whitespace=True)]


def _encodable(secret: SecretStr) -> SecretStr:
    # JSON can spell half of a surrogate pair, which no encoding knows and no hash takes.
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError as error:
        raise PydanticCustomError("not_text", "This is not text.") from error
    return secret


Password = Annotated[SecretStr, AfterValidator(_encodable)]


class CamelModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class SignUpRequest(CamelModel):
    email: Trimmed
    password: Password
    username: Trimmed
    age_confirmed: StrictBool
    first_name: Trimmed | None = None
    last_name: Trimmed | None = None

    def wanted(self) -> SignUp:
        return SignUp(
            email=self.email,
            password=self.password.get_secret_value(),
            username=self.username,
            age_confirmed=self.age_confirmed,
            first_name=self.first_name or None,
            last_name=self.last_name or None,
        )


class LoginRequest(CamelModel):
    email: Trimmed
    password: Annotated[Password, Field(max_length=MAX_CHARACTERS)]


class UserView(CamelModel):
    id: str
    email: str
    username: str
    role: Role
    plan: str
    age_confirmed: bool

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(
            id=encode_id(Prefix.ACCOUNT, account.id),
            email=account.email,
            username=account.username,
            role=account.role,
            plan=account.plan,
            age_confirmed=account.age_confirmed,
        )


class SessionView(BaseModel):
    access_token: str
    refresh_token: str
    expires_in: int

    @classmethod
    def opened(cls, signed_in: SignedIn) -> "SessionView":
        return SessionView(
            access_token=signed_in.access_token,
            refresh_token=signed_in.refresh_token,
            expires_in=signed_in.expires_in_seconds,
        )


class SignedInView(SessionView):
    """The session stands at the top level too: clients of both habits find it."""

    user: UserView
    session: SessionView

    @classmethod
    def of(cls, signed_in: SignedIn) -> "SignedInView":
        session = SessionView.opened(signed_in)
        user = UserView.of(signed_in.account)
        return SignedInView(**session.model_dump(), session=session, user=user)


class WelcomeView(SignedInView):
    test_key: str

    @classmethod
    def welcoming(cls, welcome: Welcome) -> "WelcomeView":
        signed_in = SignedInView.of(welcome.signed_in)
        return WelcomeView(**signed_in.model_dump(), test_key=welcome.test_key)


class CreateKeyRequest(CamelModel):
    name: Trimmed
    kind: KeyKind
    scopes: frozenset[Scope] | None = None
    expires_at: AwareDatetime | None = None

    def wanted(self) -> WantedKey:
        scopes = ALL_SCOPES if self.scopes is None else self.scopes
        return WantedKey(name=self.name, kind=self.kind, scopes=scopes, expires_at=self.expires_at)


class KeyView(CamelModel):
    id: str
    name: str
    kind: KeyKind
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: APIKey) -> "KeyView":
        return KeyView(
            id=encode_id(Prefix.KEY, key.id),
            name=key.name,
            kind=key.kind,
            prefix=key.shown,
            scopes=sorted(key.scopes),
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
        )


class CreatedKeyView(KeyView):
    key: str

    @classmethod
    def showing(cls, minted: MintedKey) -> "CreatedKeyView":
        return CreatedKeyView(**KeyView.of(minted.key).model_dump(), key=minted.text)


class KeyListView(CamelModel):
    keys: list[KeyView]


class MessageView(CamelModel):
    message: str
