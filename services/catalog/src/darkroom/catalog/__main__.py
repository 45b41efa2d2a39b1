"""`python -m darkroom.catalog`: one or more roles, or `migrate`."""

import argparse
from functools import partial

from darkroom.catalog.app import create_app
from darkroom.catalog.settings import CatalogSettings, Role
from darkroom.platform.db.migrate import upgrade
from darkroom.platform.runtime import serve
from darkroom.platform.telemetry.setup import setup_telemetry

MIGRATE = "migrate"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m darkroom.catalog", description=__doc__)
    parser.add_argument("roles", nargs="+", choices=[*Role, MIGRATE])
    chosen = parser.parse_args(arguments).roles
    if MIGRATE in chosen and chosen != [MIGRATE]:
        parser.error("migrate runs alone")
    settings = CatalogSettings()
    setup_telemetry("catalog", settings.telemetry)
    if chosen == [MIGRATE]:
        upgrade("darkroom.catalog.store.migrations", settings.postgres.dsn.get_secret_value())
        return
    roles = frozenset(Role(role) for role in chosen)
    serve(partial(create_app, settings, roles), settings.http)


if __name__ == "__main__":
    main()
