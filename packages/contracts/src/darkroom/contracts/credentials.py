"""The gateway's question to auth: whose key is this?"""

from typing import Final

from pydantic import BaseModel, ConfigDict, SecretStr

from darkroom.contracts.claims import Principal

# POST, gateway to auth, on auth's service port only; 200 with a reply, 401 for a key that opens
# nothing.
KEY_CHECK_PATH: Final = "/-/keys/check"
# GET, on auth's service port: the public keys that verify session tokens.
SESSION_KEYS_PATH: Final = "/-/session-keys"
# GET, on the gateway's service port: the public keys that verify passports.
PASSPORT_KEYS_PATH: Final = "/-/passport-keys"


class KeyCheck(BaseModel):
    """Ask about one API key, in clear: it travels on the inner network once per cache lifetime."""

    model_config = ConfigDict(frozen=True)

    key: SecretStr


class KeyHolder(BaseModel):
    """Answer who holds the key, as a principal ready for a passport."""

    model_config = ConfigDict(frozen=True)

    principal: Principal
