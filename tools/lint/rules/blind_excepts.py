"""Without it, an error nobody expected is swallowed where nobody can know what it means.

Two edges may catch everything, because they turn the unknown into a 500 or a retry. Elsewhere a
catch-all may only clean up and raise again.
"""

import ast
from collections.abc import Iterator
from typing import Final

from tools.lint.source import Finding, Source, last_name

EDGES: Final = tuple(
    f"packages/platform/src/darkroom/platform/{edge}"
    for edge in ("http/", "messaging/", "runtime.py")
)
BLIND: Final = frozenset({"BaseException", "Exception"})


def check(source: Source) -> Iterator[Finding]:
    if not source.is_shipped or str(source.path).startswith(EDGES):
        return
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and is_blind(node) and not raises_again(node):
            yield Finding(node.lineno, "catching everything belongs to platform's edges")


def is_blind(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last_name(kind) in BLIND for kind in caught)


def raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None
