"""The request a task is working for: its id travels in a context variable, not in arguments."""

import re
from contextvars import ContextVar
from typing import Final

from darkroom.contracts.ids import new_id

# Safe in logs, headers and URLs; 128 characters is what the HTTP contract accepts.
_SAFE: Final = re.compile(r"^[A-Za-z0-9._:-]{1,128}$")
_current: ContextVar[str | None] = ContextVar("darkroom_request_id", default=None)


def current_request_id() -> str:
    """Return the id of the request or message being worked on; make one where there is none."""
    value = _current.get()
    if value is None:
        value = str(new_id())
        _current.set(value)
    return value


def find_request_id() -> str | None:
    """Return the id in force, or None where no request or message is being worked on."""
    return _current.get()


def adopt_request_id(offered: str | None) -> str:
    """Take the caller's id when it is safe to repeat, else make one; it holds for this context."""
    value = offered if offered is not None and _SAFE.match(offered) else str(new_id())
    _current.set(value)
    return value
