"""A caller who was looked up: one object for as long as the answer is remembered."""

from dataclasses import dataclass

from darkroom.contracts.claims import Principal


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """Who calls.

    Compared by identity: comparing principals field by field, for every request, would cost more
    than the rest of the look-up.
    """

    principal: Principal
