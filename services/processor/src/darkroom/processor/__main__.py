"""`python -m darkroom.processor work --lane bulk`: develop images until told to end."""

import argparse
from functools import partial

from darkroom.contracts.jobs import Lane
from darkroom.platform.runtime import serve
from darkroom.platform.telemetry.setup import setup_telemetry
from darkroom.processor.app import create_app
from darkroom.processor.engines.confinement import forget_credentials
from darkroom.processor.settings import ProcessorSettings


def main() -> None:
    parser = argparse.ArgumentParser(prog="darkroom.processor", description=__doc__)
    parser.add_argument("role", choices=("work",))
    parser.add_argument("--lane", action="append", type=Lane, choices=list(Lane), required=True)
    lanes = tuple(dict.fromkeys(parser.parse_args().lane))
    settings = ProcessorSettings()
    setup_telemetry("processor", settings.telemetry)
    forget_credentials()
    serve(partial(create_app, settings, lanes), settings.http)


if __name__ == "__main__":
    main()
