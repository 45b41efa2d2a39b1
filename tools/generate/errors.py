"""docs/errors.md: every problem code, its status, and what it says."""

import ast
from collections import defaultdict
from typing import Final

from darkroom.contracts.problems import ProblemCode
from darkroom.gateway.api.replies import STATUS as GATEWAY_STATUS
from darkroom.platform.errors import ServiceError
from darkroom.platform.http.problems import STATUS as PLATFORM_STATUS
from tools.generate import contracts, page
from tools.lint.source import last_name

# What only the front door can refuse has its status there.
STATUS: Final = {**PLATFORM_STATUS, **GATEWAY_STATUS}
INTRODUCTION: Final = """\
Codes are stable: they are added, never renamed. The status is decided by the error's family, in one
table (`STATUS` of `darkroom.platform.http.problems`; the gateway adds what only it can refuse). The
body has the shape that the surface documents; with `Accept: application/problem+json` it is RFC
9457 on every surface. Codes without a status are the reason of an image that ended `failed`."""


def files() -> page.Files:
    statuses, sentences = defaults()
    for code, status in raised().items():
        statuses[code] |= status
    rows = [
        (
            f"`{code}`",
            ", ".join(map(str, sorted(statuses[code]))),
            " / ".join(sorted(sentences[code])),
        )
        for code in ProblemCode
    ]
    families = [
        (str(status), f"`{family.__name__}`", family.public)
        for family, status in PLATFORM_STATUS.items()
    ]
    return {
        page.ROOT / "docs" / "errors.md": page.page(
            "Errors",
            INTRODUCTION,
            "## Codes\n\n" + page.table(("Code", "Status", "Usual sentence"), rows),
            "## Families\n\n" + page.table(("Status", "Family", "Usual sentence"), families),
        )
    }


def known_errors() -> list[type[ServiceError]]:
    services = (f"darkroom.{service}" for service in page.SERVICES)
    return list(contracts.errors("darkroom.platform", *services))


def defaults() -> tuple[dict[ProblemCode, set[int]], dict[ProblemCode, set[str]]]:
    """Collect what each error class says when nothing more exact is given."""
    statuses: dict[ProblemCode, set[int]] = defaultdict(set)
    sentences: dict[ProblemCode, set[str]] = defaultdict(set)
    for kind in known_errors():
        if kind is not ServiceError and (kind in STATUS or {"code", "public"} & vars(kind).keys()):
            statuses[kind.code].add(status_of(kind))
            sentences[kind.code].add(kind.public)
    return statuses, sentences


def raised() -> dict[ProblemCode, set[int]]:
    """Find the codes that a raising line gives by itself: `Malformed(code=ProblemCode.…)`."""
    families = {kind.__name__: kind for kind in known_errors()}
    found: dict[ProblemCode, set[int]] = defaultdict(set)
    for path in page.ROOT.glob("*/*/src/**/*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or last_name(call.func) not in families:
                continue
            for keyword in call.keywords:
                if keyword.arg == "code" and last_name(keyword.value) in ProblemCode.__members__:
                    family = families[last_name(call.func)]
                    found[ProblemCode[last_name(keyword.value)]].add(status_of(family))
    return found


def status_of(kind: type[ServiceError]) -> int:
    return next(STATUS[family] for family in kind.__mro__ if family in STATUS)
