"""`python -m darkroom.gateway serve`."""

import argparse

from darkroom.gateway.api.listen.connection import GuardedConnection
from darkroom.gateway.app import create_app
from darkroom.gateway.settings import GatewaySettings
from darkroom.platform.runtime import serve
from darkroom.platform.telemetry.setup import setup_telemetry


def main() -> None:
    parser = argparse.ArgumentParser(prog="darkroom.gateway", description=__doc__)
    parser.add_argument("role", choices=("serve",))
    parser.parse_args()
    settings = GatewaySettings()
    setup_telemetry("gateway", settings.telemetry)
    serve(lambda: create_app(settings), settings.http, protocol=GuardedConnection)


if __name__ == "__main__":
    main()
