"""Without it, calls become rows of bare values whose order only the definition tells.

More than four positional parameters are too many. Endpoints, tests and fixtures are called by
name by their framework, so theirs do not count.
"""

from collections.abc import Iterator
from typing import Final

from tools.lint.source import Finding, Function, Source

LIMIT: Final = 4


def check(source: Source) -> Iterator[Finding]:
    if source.is_test:
        return
    for function in source.functions:
        count = len(positional_of(function))
        if count > LIMIT and not function.decorator_list:
            yield Finding(function.lineno, f"{function.name} takes {count} positional parameters")


def positional_of(function: Function) -> list[str]:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return [name for name in names if name not in {"self", "cls"}]
