"""Runs every own rule over every file of the repository: `python -m tools.lint [path …]`."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from tools.lint.rules import (
    acks,
    addresses,
    blind_excepts,
    commits,
    log_events,
    mocks,
    names,
    owner_filters,
    positional,
    settings,
    sizes,
    tested,
)
from tools.lint.source import Rule, Source

ROOT: Final = Path(__file__).resolve().parents[2]
PYTHON_RULES: Final[Mapping[str, Rule]] = {
    "acks": acks.check,
    "blind_excepts": blind_excepts.check,
    "commits": commits.check,
    "log_events": log_events.check,
    "mocks": mocks.check,
    "names": names.check,
    "owner_filters": owner_filters.check,
    "positional": positional.check,
    "settings": settings.check,
    "sizes": sizes.check,
    "tested": tested.check,
}
TEXT_RULES: Final[Mapping[str, Rule]] = {"addresses": addresses.check}
# The folder whose samples break the rules on purpose.
SAMPLES: Final = PurePosixPath("tools/lint/tests")


def main(paths: list[str]) -> int:
    findings = [line for source in sources(paths) for line in lint(source)]
    for line in findings:
        print(line)
    print(f"own rules: {len(findings)} findings" if findings else "own rules: all kept")
    return 1 if findings else 0


def lint(source: Source) -> Iterator[str]:
    rules = {**TEXT_RULES, **(PYTHON_RULES if source.is_python else {})}
    for rule, check in rules.items():
        for finding in check(source):
            if not source.allows(rule, finding.line):
                yield f"{source.path}:{finding.line}: {rule}: {finding.message}"


def sources(paths: list[str]) -> Iterator[Source]:
    """Read what git knows or would add, leaving out what is not text."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *paths]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in sorted(set(listed.split("\0")) - {""}):
        path = PurePosixPath(name)
        if SAMPLES in path.parents or not (ROOT / path).is_file():
            continue
        try:
            yield Source(path, (ROOT / path).read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
