"""`python -m darkroom.auth`: the roles `serve` and `relay`, or `migrate`, or `bootstrap`."""

import argparse
import asyncio
import sys
from functools import partial
from typing import Final

from darkroom.auth.api.bootstrap import bootstrap
from darkroom.auth.app import create_app
from darkroom.auth.settings import AuthSettings
from darkroom.auth.wiring import open_resources
from darkroom.platform.db.migrate import upgrade
from darkroom.platform.errors import ServiceError
from darkroom.platform.runtime import serve
from darkroom.platform.telemetry.setup import setup_telemetry

ROLES: Final = ("serve", "relay")
COMMANDS: Final = ("migrate", "bootstrap")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m darkroom.auth", description=__doc__)
    parser.add_argument("words", nargs="+", choices=(*ROLES, *COMMANDS), metavar="role")
    words = parser.parse_args(arguments).words
    if len(words) > 1 and set(words) & set(COMMANDS):
        parser.error(f"{' and '.join(COMMANDS)} run alone")
    settings = AuthSettings()
    if words == ["bootstrap"]:
        # Logs go to standard output, where this command writes its answer and nothing else.
        sys.exit(asyncio.run(_bootstrap(settings)))
    setup_telemetry("auth", settings.telemetry)
    if words == ["migrate"]:
        upgrade("darkroom.auth.store.migrations", settings.postgres.dsn.get_secret_value())
    else:
        serve(partial(create_app, settings, frozenset(words)), settings.http)


async def _bootstrap(settings: AuthSettings) -> int:
    try:
        async with open_resources(settings) as resources:
            answer = await bootstrap(resources, sys.stdin.read())
    except ServiceError as error:
        reasons = " ".join(f"{each.field}: {each.message}" for each in error.errors)
        sys.stderr.write(f"{error.message} {reasons}".strip() + "\n")
        return 1
    sys.stdout.write(f"{answer}\n")
    return 0


if __name__ == "__main__":
    main()
