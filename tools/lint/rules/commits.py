"""Without it, an operation commits half of its work: the row is there and its event is not.

One transaction per request and per message is promised by `platform/db/session.py` alone, so
nothing else may commit, and no service may open a transaction that commits by itself.
"""

from collections.abc import Iterator
from typing import Final

from tools.lint.source import Finding, Source, attribute_of

EDGE: Final = "packages/platform/src/darkroom/platform/db/session.py"


def check(source: Source) -> Iterator[Finding]:
    if not source.is_shipped or str(source.path) == EDGE:
        return
    for call in source.calls():
        name = attribute_of(call)
        if name == "commit":
            yield Finding(call.lineno, "commit() belongs to platform/db/session.py")
        elif name == "begin" and source.is_service:
            yield Finding(call.lineno, "begin() commits by itself; use platform's transaction()")
