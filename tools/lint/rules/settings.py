"""Without it, a module reads the environment on its own: tests cannot say what it gets.

Settings are made once, at the entry, and travel down as values.
"""

import ast
from collections.abc import Iterator
from typing import Final

from tools.lint.source import Finding, Source, last_name

ENTRIES: Final = frozenset({"__main__.py", "app.py", "settings.py", "wiring.py"})


def check(source: Source) -> Iterator[Finding]:
    if not source.is_shipped or source.path.name in ENTRIES:
        return
    if source.path.parts[:2] in {("packages", "embedded"), ("packages", "testing")}:
        return
    for call in source.calls():
        maker = last_name(call.func)
        owner = last_name(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        if is_settings(maker) or (is_settings(owner) and maker.startswith("model_")):
            yield Finding(call.lineno, f"{maker} is called outside the entries and wiring")


def is_settings(name: str) -> bool:
    return name.endswith("Settings")
