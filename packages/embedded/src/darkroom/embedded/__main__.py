"""`darkroom up`, also as `python -m darkroom.embedded up`."""

import argparse
import asyncio
import sys
from typing import Final, NoReturn

_FAILED: Final = 1
# sysexits.h: a wrong command line or setting.
_USAGE: Final = 64


def main(arguments: list[str] | None = None) -> None:
    """Run the platform; whatever keeps it from starting is one sentence and an exit code."""
    parser = argparse.ArgumentParser(prog="darkroom", description="Run Darkroom on this machine.")
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("up", help="start everything in the foreground (the default)")
    parser.parse_args(arguments)
    try:
        _up()
    except ImportError as error:
        _fail(
            f"A part of Darkroom is not installed ({error}): install the requirements again "
            f"(make setup).",
            _FAILED,
        )


def _up() -> None:
    from pydantic import ValidationError  # noqa: PLC0415 a missing wheel is told, not traced

    from darkroom.embedded.errors import StartError  # noqa: PLC0415 the same
    from darkroom.embedded.settings import EmbeddedSettings  # noqa: PLC0415 the same
    from darkroom.embedded.up import run  # noqa: PLC0415 the same

    try:
        asyncio.run(run(EmbeddedSettings()))
    except ValidationError as error:
        wrong = error.errors()[0]
        name = f"DARKROOM_{'_'.join(map(str, wrong['loc'])).upper()}"
        _fail(f"{name} is not usable: {wrong['msg'].removeprefix('Value error, ')}.", _USAGE)
    except StartError as error:
        _fail(str(error), _FAILED)


def _fail(sentence: str, code: int) -> NoReturn:
    sys.stderr.write(f"darkroom: {sentence}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
