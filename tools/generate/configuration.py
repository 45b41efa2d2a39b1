"""docs/configuration.md: every setting of every service, by its name in the environment."""

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any, Final, get_args

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from darkroom.embedded.settings import EmbeddedSettings
from darkroom.platform.settings import ServiceSettings
from tools.generate import page

INTRODUCTION: Final = """\
Each service reads its own variables once, when it starts; a wrong value ends it with one sentence.
`darkroom up` sets all of them for the processes it starts and passes on what you set yourself.
Units are in the names: seconds, bytes, pixels."""

HEAD: Final = ("Variable", "Type", "Default", "Bounds", "Remark")


def files() -> page.Files:
    own = list(rows(EmbeddedSettings, "DARKROOM_"))
    sections = [
        "## darkroom up\n\n" + page.table(HEAD, own),
        *(
            f"## {service}\n\n" + page.table(HEAD, rows_of(service))
            for service in page.SERVICES
            if (page.ROOT / f"services/{service}/src/darkroom/{service}/settings.py").exists()
        ),
    ]
    text = page.page("Configuration", INTRODUCTION, *sections)
    return {page.ROOT / "docs" / "configuration.md": text}


def rows_of(service: str) -> list[tuple[str, ...]]:
    settings = settings_of(service)
    return list(rows(settings, str(settings.model_config.get("env_prefix", ""))))


def settings_of(service: str) -> type[ServiceSettings]:
    module = importlib.import_module(f"darkroom.{service}.settings")
    return next(
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, ServiceSettings) and kind.__module__ == module.__name__
    )


def rows(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, ...]]:
    reasons = reasons_in(model)
    for name, field in model.model_fields.items():
        fragment = fragment_of(field)
        if fragment is not None:
            yield from rows(fragment, f"{prefix}{name.upper()}__")
            continue
        names = " or ".join(f"`{each}`" for each in names_of(prefix, name, field))
        yield names, type_of(field), default_of(field), bounds_of(field), reasons.get(name, "")


def reasons_in(model: type[BaseModel]) -> dict[str, str]:
    """Read the comment above each field: it is where a number's reason is written."""
    reasons: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if not kind.__module__.startswith("darkroom."):
            continue
        comment: list[str] = []
        for line in map(str.strip, inspect.getsource(kind).splitlines()):
            if line.startswith("#"):
                comment.append(line.removeprefix("#").strip())
                continue
            if comment and (field := re.match(r"(\w+)\s*:", line)):
                reasons[field[1]] = " ".join(comment)
            comment = []
    return reasons


def fragment_of(field: FieldInfo) -> type[BaseModel] | None:
    options = (field.annotation, *get_args(field.annotation))
    return next(
        (kind for kind in options if inspect.isclass(kind) and issubclass(kind, BaseModel)), None
    )


def names_of(prefix: str, name: str, field: FieldInfo) -> list[str]:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice).upper() for choice in alias.choices]
    return [alias.upper() if isinstance(alias, str) else f"{prefix}{name.upper()}"]


def type_of(field: FieldInfo) -> str:
    named = getattr(field.annotation, "__name__", None)
    text = str(field.annotation) if get_args(field.annotation) or named is None else named
    text = re.sub(r"\b(?:typing|pathlib|pydantic\.types|datetime)\.", "", text)
    if text.startswith("Literal"):
        return ", ".join(f"`{option}`" for option in get_args(field.annotation))
    return text.replace(" | None", ", optional")


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined or field.default is None:
        return ""
    return f"`{shown(field.default)}`"


def shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def bounds_of(field: FieldInfo) -> str:
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    return ", ".join(
        f"{sign} {shown(getattr(bound, key))}"
        for bound in field.metadata
        for key, sign in signs.items()
        if hasattr(bound, key)
    )
