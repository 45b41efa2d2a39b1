"""What a rule is given, one parsed file, and what it gives back, findings."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final, TypeAlias

# A finding may be waved through on its line, with the rule's name and a reason of some length.
ALLOWED: Final = re.compile(r"lint-allow: (?P<rule>[a-z_]+) \S.{9,}")

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Finding:
    line: int
    message: str


@dataclass(frozen=True)
class Source:
    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def is_python(self) -> bool:
        return self.path.suffix == ".py"

    @property
    def is_test(self) -> bool:
        return "tests" in self.path.parts

    @property
    def is_shipped(self) -> bool:
        """Tell whether the file is part of what runs: a member's `src`."""
        return "src" in self.path.parts and not self.is_test

    @property
    def is_service(self) -> bool:
        return self.path.parts[0] == "services" and self.is_shipped

    @property
    def functions(self) -> Iterator[Function]:
        for node in self.nodes:
            if isinstance(node, Function):
                yield node

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def allows(self, rule: str, line: int) -> bool:
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return any(match["rule"] == rule for match in ALLOWED.finditer(text))


Rule: TypeAlias = Callable[[Source], Iterator[Finding]]


def attribute_of(call: ast.Call) -> str | None:
    """Return `commit` for `session.commit()`, and None for a plain function."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else None


def last_name(node: ast.AST) -> str:
    """Return the last word of a dotted name, or nothing for any other expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
