"""Without it, a query takes an owner and forgets to ask for it: one account reads another's rows.

In `store/`, a function with an owner parameter must compare a column with it, write it into a row,
or hand it on under an owner's name.
"""

import ast
from collections.abc import Iterator
from typing import Final

from tools.lint.rules.log_events import is_log_call
from tools.lint.source import Finding, Function, Source, last_name

OWNERS: Final = frozenset({"account_id", "owner", "owner_id"})


def check(source: Source) -> Iterator[Finding]:
    if not source.is_service or "store" not in source.path.parts:
        return
    for function in source.functions:
        for owner in owners_of(function):
            if not any(uses(node, owner) for node in asked_in(function)):
                yield Finding(
                    function.lineno, f"{function.name} takes {owner} and no query asks for it"
                )


def asked_in(node: ast.AST) -> Iterator[ast.AST]:
    """Walk all but log lines and raised errors, which name an owner without asking for it."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Raise) and not (
            isinstance(child, ast.Call) and is_log_call(child)
        ):
            yield from asked_in(child)


def owners_of(function: Function) -> list[str]:
    arguments = function.args
    everything = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return [argument.arg for argument in everything if argument.arg in OWNERS]


def uses(node: ast.AST, owner: str) -> bool:
    if isinstance(node, ast.Compare):
        return any(is_owner_column(side) for side in (node.left, *node.comparators)) and any(
            is_value(side, owner) for side in (node.left, *node.comparators)
        )
    if isinstance(node, ast.keyword):
        return node.arg in OWNERS and is_value(node.value, owner)
    if isinstance(node, ast.Dict):
        return any(
            isinstance(key, ast.Constant) and key.value in OWNERS and is_value(value, owner)
            for key, value in zip(node.keys, node.values, strict=True)
        )
    return False


def is_owner_column(node: ast.AST) -> bool:
    """Accept `images.c.account_id`, and `accounts.c.id`: an account is its own owner."""
    if not isinstance(node, ast.Attribute):
        return False
    is_account = ast.unparse(node.value).startswith("accounts")
    return node.attr in OWNERS or (node.attr == "id" and is_account)


def is_value(node: ast.AST, owner: str) -> bool:
    """Accept the parameter itself and a field of it, such as `owner.id`."""
    return any(isinstance(part, ast.Name) and last_name(part) == owner for part in ast.walk(node))
