"""`python -m darkroom.upload serve`: run the service until it is told to end."""

import argparse
from functools import partial

from darkroom.platform.runtime import serve
from darkroom.platform.telemetry.setup import setup_telemetry
from darkroom.upload.app import create_app
from darkroom.upload.settings import UploadSettings


def main() -> None:
    parser = argparse.ArgumentParser(prog="darkroom.upload", description=__doc__)
    parser.add_argument("role", choices=("serve",))
    parser.parse_args()
    settings = UploadSettings()
    setup_telemetry("upload", settings.telemetry)
    serve(partial(create_app, settings), settings.http)


if __name__ == "__main__":
    main()
