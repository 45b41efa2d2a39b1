"""Without it, a commit ties the project to one machine or one package index.

Locks hold names and hashes; where packages come from is the business of whoever installs them.
It looks at every text file, not only at Python.
"""

import re
from collections.abc import Iterator
from typing import Final

from tools.lint.source import Finding, Source

# The name of a package index followed by a domain, or an option that points at one.
INDEX: Final = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs|yarnpkg|rubygems|maven)\.(?:org|com|io)\b"
    r"|--(?:extra-)?index-url\b|--find-link[s]\b"
)
# The top folders under which people keep their own things.
PLACE: Final = re.compile(r"(?<![\w.~$}:/-])/(?:Users|home|opt/wheels|root|work)/\w")


def check(source: Source) -> Iterator[Finding]:
    for number, line in enumerate(source.lines, start=1):
        if INDEX.search(line):
            yield Finding(number, "a package index is named")
        if PLACE.search(line):
            yield Finding(number, "a path of one machine is named")
