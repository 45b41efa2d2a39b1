"""Without it, files and functions grow a line at a time until nobody reads them whole.

A function fits a screen; a file that outgrows the limit becomes a folder of the same name.
"""

from collections.abc import Iterator
from typing import Final

from tools.lint.source import Finding, Source

# The house limits: a screen of code, and what can be read in one sitting.
FUNCTION_LINES: Final = 50
FILE_LINES: Final = 250


def check(source: Source) -> Iterator[Finding]:
    if len(source.lines) > FILE_LINES:
        yield Finding(1, f"{len(source.lines)} lines; a file has at most {FILE_LINES}")
    for function in source.functions:
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES:
            yield Finding(
                function.lineno, f"{function.name} has {lines} lines, at most {FUNCTION_LINES}"
            )
