"""Without it, a test proves that our code agrees with our idea of it, not that it works.

Our own classes are used for real, or stood in for by a fake class that keeps their promises. Time,
environment and network edges may be patched, and so may a constant: a limit that would take long
to reach.
"""

import ast
from collections.abc import Iterator

from tools.lint.source import Finding, Source, attribute_of


def check(source: Source) -> Iterator[Finding]:
    ours = names_of_ours(source)
    for node in source.nodes:
        if imports_mocks(node):
            yield Finding(getattr(node, "lineno", 1), "write a fake class or use the real server")
        elif isinstance(node, ast.arg) and node.arg == "mocker":
            yield Finding(node.lineno, "write a fake class or use the real server")
        elif isinstance(node, ast.Call) and patches(node, ours):
            yield Finding(node.lineno, "our own code is not patched")


def names_of_ours(source: Source) -> frozenset[str]:
    return frozenset(
        (alias.asname or alias.name).partition(".")[0]
        for node in source.nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if is_ours(getattr(node, "module", None) or alias.name)
    )


def is_ours(module: str) -> bool:
    return module.partition(".")[0] == "darkroom"


def imports_mocks(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        named = {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    elif isinstance(node, ast.Import):
        named = {alias.name for alias in node.names}
    else:
        return False
    return bool(named & {"mock", "unittest.mock"})


def patches(call: ast.Call, ours: frozenset[str]) -> bool:
    """Recognise `monkeypatch.setattr` on what is imported from darkroom or named by its path."""
    if attribute_of(call) not in {"setattr", "delattr"} or not call.args:
        return False
    target, name = call.args[0], call.args[1] if len(call.args) > 1 else None
    if isinstance(name, ast.Constant) and str(name.value).isupper():
        return False
    if isinstance(target, ast.Constant):
        return isinstance(target.value, str) and is_ours(target.value)
    return any(isinstance(part, ast.Name) and part.id in ours for part in ast.walk(target))
