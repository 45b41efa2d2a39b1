"""The accounts of a local installation, and the file that tells scripts about them."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
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


def write_facts(
    accounts: Accounts, home: Home, settings: EmbeddedSettings, *, album_id: str
) -> None:
    """Write dev.json, for us alone."""
    facts = {
        "base_url": settings.base_url,
        "admin": dict(accounts.admin),
        "demo": dict(accounts.demo),
        "keys": dict(accounts.keys),
        "album_id": album_id,
        "mail_dir": str(home / "mail"),
    }
    write_private(home / "dev.json", json.dumps(facts, indent=2) + "\n")


def read_album(home: Home) -> str | None:
    """Return the album an earlier start made, as far as dev.json remembers it."""
    album_id = _facts(home).get("album_id")
    return album_id if isinstance(album_id, str) else None


def known_accounts(home: Home, settings: EmbeddedSettings) -> Accounts | None:
    """Return the accounts an earlier start made for the same administrator, or None."""
    keys = _keys(home)
    if "pk" not in keys or _facts(home).get("admin", {}).get("email") != settings.admin_email:
        return None
    return _accounts(home, settings, keys)


async def ensure_accounts(auth: Service, home: Home, settings: EmbeddedSettings) -> Accounts:
    """Have auth make the accounts and keys that are not there yet; changes nothing otherwise."""
    wanted = _accounts(home, settings, _keys(home))
    order = {
        "admin": wanted.admin,
        "demo": {**wanted.demo, "plan": DEMO_PLAN},
        "keys": wanted.keys,
    }
    made = await _ask(auth.command("bootstrap"), order)
    write_private(home / "secrets" / _KEYS_FILE, json.dumps(made["keys"]))
    return _accounts(home, settings, made["keys"])


def _accounts(home: Home, settings: EmbeddedSettings, keys: Mapping[str, str]) -> Accounts:
    admin = {"email": settings.admin_email, "password": home.secret("admin-password")}
    password = home.secret("demo-password")
    demo = {"email": DEMO_EMAIL, "password": password, "username": DEMO_USERNAME}
    return Accounts(admin, demo, keys)


def _keys(home: Home) -> dict[str, str]:
    return _json_object(home / "secrets" / _KEYS_FILE)


def _facts(home: Home) -> dict[str, Any]:
    return _json_object(home / "dev.json")


def _json_object(path: Path) -> dict[str, Any]:
    """Read a file of ours; one that is absent, or that somebody has spoilt, counts as empty."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


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
