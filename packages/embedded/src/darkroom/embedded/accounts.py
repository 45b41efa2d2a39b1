"""The accounts of a local installation, and the file that tells scripts about them."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from darkroom.embedded.children import Command, launch_arguments
from darkroom.embedded.errors import ProgramFailed, StartError
from darkroom.embedded.home import Home, write_private
from darkroom.embedded.service import Service
from darkroom.embedded.settings import EmbeddedSettings

DEMO_EMAIL: Final = "demo@example.com"
DEMO_USERNAME: Final = "demo"
DEMO_PLAN: Final = "unlimited"
# One process start and two argon2 hashes; far more means that it hangs.
_SECONDS: Final = 60.0
_KEYS_FILE: Final = "keys.json"


@dataclass(frozen=True, slots=True)
class Accounts:
    """Hold what a local installation's owner signs in and calls with."""

    admin: Mapping[str, str]
    demo: Mapping[str, str]
    keys: Mapping[str, str]

    def write_facts(self, home: Home, settings: EmbeddedSettings, *, album_id: str) -> None:
        """Write dev.json, for us alone."""
        facts = {
            "base_url": settings.base_url,
            "admin": dict(self.admin),
            "demo": dict(self.demo),
            "keys": dict(self.keys),
            "album_id": album_id,
            "mail_dir": str(home / "mail"),
        }
        write_private(home / "dev.json", json.dumps(facts, indent=2) + "\n")


def read_album(home: Home) -> str | None:
    """Return the album an earlier start made, as far as dev.json remembers it."""
    try:
        album_id = json.loads((home / "dev.json").read_text())["album_id"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return album_id if isinstance(album_id, str) else None


async def ensure_accounts(auth: Service, home: Home, settings: EmbeddedSettings) -> Accounts:
    """Have auth make the accounts and keys that are not there yet; changes nothing otherwise."""
    admin = {"email": settings.admin_email, "password": home.secret("admin-password")}
    demo = {
        "email": DEMO_EMAIL,
        "password": home.secret("demo-password"),
        "username": DEMO_USERNAME,
    }
    known = home / "secrets" / _KEYS_FILE
    order = {
        "admin": admin,
        "demo": {**demo, "plan": DEMO_PLAN},
        "keys": json.loads(known.read_text()) if known.exists() else {},
    }
    made = await _ask(auth.command("bootstrap"), order)
    write_private(known, json.dumps(made["keys"]))
    return Accounts(admin, demo, made["keys"])


async def _ask(command: Command, order: Mapping[str, Any]) -> Any:
    process = await asyncio.create_subprocess_exec(
        *launch_arguments(command),
        env=dict(command.environment),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            said, complained = await process.communicate(json.dumps(order).encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise ProgramFailed("auth bootstrap", f"did not end within {_SECONDS:g} s") from None
    if process.returncode != 0:
        lines = tuple(complained.decode(errors="replace").splitlines()[-5:])
        raise ProgramFailed("auth bootstrap", f"ended with exit code {process.returncode}", lines)
    try:
        return json.loads(said)
    except ValueError as error:
        raise StartError("auth bootstrap did not answer in JSON.") from error
