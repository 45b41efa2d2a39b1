"""docs/events.md: every event, who says it, who hears it, and its facts."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from darkroom.contracts.event import Event
from tools.generate import contracts, page, schemas
from tools.lint.source import last_name

# The calls by which a service hears an event.
HEARING: Final = frozenset({"Subscription", "listen"})
INTRODUCTION: Final = """\
An event is a fact under a subject that carries its version. Within a version only optional fields
are added; anything else is a new class and a new subject, and both are sent until nobody hears the
old one. Every event also has `event_id` (UUIDv7, also the broker's deduplication id) and
`occurred_at`. JSON Schemas are in [packages/contracts/schemas](../packages/contracts/schemas)."""


def files() -> page.Files:
    kinds = contracts.events()
    says, hears = usage(kinds)
    overview = page.table(
        ("Subject", "Said by", "Heard by"),
        [
            (
                f"[`{subject}`](#{subject.replace('.', '')})",
                says[kind.__name__],
                hears[kind.__name__],
            )
            for subject, kind in kinds.items()
        ],
    )
    sections = [section(subject, kind) for subject, kind in kinds.items()]
    return {
        page.ROOT / "docs" / "events.md": page.page("Events", INTRODUCTION, overview, *sections)
    }


def section(subject: str, kind: type[Event]) -> str:
    schema = schemas.document_of(subject)
    rows = [
        (f"`{name}`", type_of(field), bounds_of(field))
        for name, field in schema["properties"].items()
        if name not in {"event_id", "occurred_at"}
    ]
    text = " ".join((kind.__doc__ or "").split())
    return f"## {subject}\n\n`{kind.__name__}`. {text}\n\n" + page.table(
        ("Field", "Type", "Bounds"), rows
    )


def type_of(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " or ".join(type_of(option) for option in field["anyOf"])
    if field.get("type") == "array":
        return f"list of {type_of(field['items'])}"
    return str(field.get("format", field.get("type", "any")))


def bounds_of(field: dict[str, Any]) -> str:
    words = {"minimum": "≥", "maximum": "≤", "maxLength": "length ≤"}
    return ", ".join(f"{sign} {field[key]}" for key, sign in words.items() if key in field)


def usage(kinds: dict[str, type[Event]]) -> tuple[dict[str, str], dict[str, str]]:
    """Read from the services' code who makes each event and who subscribes to it."""
    names = {kind.__name__ for kind in kinds.values()}
    says: dict[str, set[str]] = defaultdict(set)
    hears: dict[str, set[str]] = defaultdict(set)
    for service in page.SERVICES:
        for call in calls_of(service):
            called = last_name(call.func)
            if called in names:
                says[called].add(service)
            if called in HEARING:
                for name in names & {last_name(argument) for argument in call.args}:
                    hears[name].add(service)
    return joined(names, says), joined(names, hears)


def calls_of(service: str) -> Iterator[ast.Call]:
    for path in page.sources_of(service):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield node


def joined(names: set[str], used: dict[str, set[str]]) -> dict[str, str]:
    return {name: ", ".join(sorted(used[name])) or "nobody yet" for name in names}
