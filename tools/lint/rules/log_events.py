"""Without it, log lines carry their values in the sentence and cannot be counted or searched.

An event is a constant in snake_case; everything that varies is a field.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from tools.lint.source import Finding, Source, last_name

LEVELS: Final = frozenset(
    {"debug", "info", "warning", "error", "exception", "critical"}
    | {f"a{level}" for level in ("debug", "info", "warning", "error", "exception", "critical")}
)
LOGGERS: Final = frozenset({"log", "logger", "_log", "_logger"})
# Words of lower-case letters and digits joined by underscores: image_registered.
EVENT: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def check(source: Source) -> Iterator[Finding]:
    if not source.is_shipped:
        return
    for call in source.calls():
        if not is_log_call(call):
            continue
        event = call.args[0] if call.args else None
        if not isinstance(event, ast.Constant) or not EVENT.fullmatch(str(event.value)):
            yield Finding(call.lineno, "a log event is one constant snake_case name")
        elif len(call.args) > 1:
            yield Finding(call.lineno, "what varies in a log event is a named field")


def is_log_call(call: ast.Call) -> bool:
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and last_name(function.value) in LOGGERS
    )
