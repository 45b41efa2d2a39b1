"""Writes what is made from code, or tells with `--check` what no longer matches it."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Final

from tools.generate import configuration, errors, events, page, schemas

GENERATORS: Final[Mapping[str, Callable[[], page.Files]]] = {
    "schemas": schemas.files,
    "events": events.files,
    "errors": errors.files,
    "configuration": configuration.files,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(GENERATORS)}; all by default")
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - GENERATORS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    wanted: page.Files = {}
    for target in arguments.targets or GENERATORS:
        wanted.update(GENERATORS[target]())
    return check(wanted) if arguments.check else write(wanted)


def check(wanted: page.Files) -> int:
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    stray = sorted(set(schemas.FOLDER.glob("*.json")) - schemas.files().keys())
    for path in (*stale, *stray):
        print(f"{path.relative_to(page.ROOT)} does not match the code; run `make docs`")
    print(
        "generated pages: " + (f"{len(stale) + len(stray)} differ" if stale or stray else "match")
    )
    return 1 if stale or stray else 0


def write(wanted: page.Files) -> int:
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path.relative_to(page.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
