"""Without it, a handler acknowledges a message before its transaction is durable, and loses it.

Only the worker in `platform/messaging` turns a return or an error into an outcome.
"""

from collections.abc import Iterator
from typing import Final

from tools.lint.source import Finding, Source, attribute_of

EDGE: Final = "packages/platform/src/darkroom/platform/messaging/"
VERBS: Final = frozenset({"ack", "ack_sync", "nak", "term"})


def check(source: Source) -> Iterator[Finding]:
    if not source.is_shipped or str(source.path).startswith(EDGE):
        return
    for call in source.calls():
        if attribute_of(call) in VERBS:
            yield Finding(call.lineno, "acknowledging belongs to platform/messaging")
