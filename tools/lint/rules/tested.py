"""Without it, a test says one thing in its name and another in its docstring, or asserts nothing.

The name is the sentence; the body must be able to fail. What several tests need is a fixture.
"""

import ast
from collections.abc import Iterator
from typing import Final

from tools.lint.source import Finding, Function, Source, last_name

# pytest's own ways to assert, and a fake's or suite's `assert_…`.
CHECKS: Final = frozenset({"deprecated_call", "fail", "raises", "warns"})


def check(source: Source) -> Iterator[Finding]:
    if not source.is_test or not source.path.name.startswith(("test_", "conftest")):
        return
    if ast.get_docstring(source.tree):
        yield Finding(1, "tests have no docstrings")
    for function in source.functions:
        if ast.get_docstring(function):
            yield Finding(function.lineno, f"{function.name}: tests have no docstrings")
        if function.name.startswith("test_") and not asserts(function):
            yield Finding(function.lineno, f"{function.name} asserts nothing")
    for statement in source.tree.body:
        if isinstance(statement, Function) and statement.name.startswith("_"):
            yield Finding(statement.lineno, f"{statement.name}: make it a fixture")


def asserts(function: Function) -> bool:
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and is_check(node))
        for node in ast.walk(function)
    )


def is_check(call: ast.Call) -> bool:
    name = last_name(call.func)
    return name in CHECKS or name.startswith("assert_")
