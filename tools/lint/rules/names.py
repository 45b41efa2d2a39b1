"""Without it, words that say nothing creep in: a reader of `manager` or `data` knows no more.

Only names that a file defines are looked at, word by word: `metadata` is a word of its own. The
name of a test is a sentence and may say anything.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from tools.lint.source import Finding, Function, Source, last_name

WORDS: Final = frozenset(
    {"common", "data", "helper", "helpers", "impl", "info", "manager", "managers", "stuff"}
    | {"util", "utils"}
)
PREFIXES: Final = ("do_", "handle_", "my_", "new_")
# Names that others gave: the contract's id maker, and what asyncio calls.
GIVEN: Final = frozenset({"data_received", "get_extra_info", "new_id"})
# A lower-case letter or digit before a capital, or an underscore: keyData, key_data.
BOUNDARY: Final = re.compile(r"_+|(?<=[a-z0-9])(?=[A-Z])")


def check(source: Source) -> Iterator[Finding]:
    if banned := banned_part(source.path.stem):
        yield Finding(1, f"the file's name says nothing: {banned}")
    given = {
        id(argument)
        for function in source.functions
        if function.name in GIVEN
        for argument in function.args.args
    }
    for node in source.nodes:
        for name in defined_by(node) if id(node) not in given else ():
            if banned := banned_part(name):
                yield Finding(getattr(node, "lineno", 1), f"{name}: {banned} says nothing")


def defined_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, Function | ast.ClassDef):
        if not node.name.startswith("test_"):
            yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        # What is set on somebody else's object was named by somebody else.
        if last_name(node.value) == "self":
            yield node.attr
    elif isinstance(node, ast.alias) and node.asname:
        yield node.asname


def banned_part(name: str) -> str | None:
    if name in GIVEN:
        return None
    bare = name.lstrip("_")
    if prefix := next((prefix for prefix in PREFIXES if bare.startswith(prefix)), None):
        return prefix
    return next((word for word in BOUNDARY.split(bare) if word.lower() in WORDS), None)
