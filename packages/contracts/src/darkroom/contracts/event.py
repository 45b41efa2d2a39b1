"""The base of every event: a frozen fact with an id, a time and a versioned subject."""

import re
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from darkroom.contracts.ids import new_id

# darkroom, an area, a fact in words joined by underscores, a version: darkroom.jobs.requested.v1
SUBJECT: Final = re.compile(r"^darkroom\.[a-z]+\.[a-z_]+\.v[1-9][0-9]*$")


def _now() -> datetime:
    return datetime.now(UTC)


class Event(BaseModel):
    """State one fact that has happened, under a subject that carries its version.

    Subclasses name their subject as a class keyword. Consumers ignore unknown fields, so an
    optional field may be added within a version; anything else is a new class and subject.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    subject: ClassVar[str]
    registry: ClassVar[dict[str, "type[Event]"]] = {}

    event_id: UUID = Field(default_factory=new_id)
    occurred_at: AwareDatetime = Field(default_factory=_now)

    def __init_subclass__(cls, *, subject: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not SUBJECT.match(subject):
            message = f"not a versioned subject: {subject}"
            raise TypeError(message)
        if subject in Event.registry:
            message = f"two events claim {subject}"
            raise TypeError(message)
        cls.subject = subject
        Event.registry[subject] = cls

    @property
    def route(self) -> str:
        """Return the subject to publish on; an event with lanes appends its lane."""
        return self.subject

    def encode(self) -> bytes:
        """Write the event as UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read an event; raises pydantic's ValidationError when the payload is not one."""
        return cls.model_validate_json(payload)
