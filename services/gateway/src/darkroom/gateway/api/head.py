"""A request's head as the front door reads it, once."""

from dataclasses import dataclass

from starlette.types import Scope

from darkroom.gateway.domain.headers import Header


# Not frozen: a frozen dataclass takes three times as long to make, and this is made per request.
@dataclass(slots=True)
class Head:
    """Method, path and headers as they came. `fields` keeps the last of repeated headers."""

    method: str
    raw_path: str
    query: bytes
    headers: list[Header]
    fields: dict[bytes, bytes]
    peer: str

    def text(self, name: bytes) -> str | None:
        """Return a header as text, or None."""
        value = self.fields.get(name)
        return None if value is None else value.decode("latin-1")

    def all(self, name: bytes) -> tuple[bytes, ...]:
        """Return every value of a repeated header, in order."""
        if name not in self.fields:
            return ()
        return tuple(value for key, value in self.headers if key == name)

    @property
    def content_length(self) -> int | None:
        """Return the announced length; the parser has checked that it is a number."""
        value = self.fields.get(b"content-length")
        return None if value is None else int(value)

    @property
    def announces_body(self) -> bool:
        """Tell whether a body follows."""
        return b"transfer-encoding" in self.fields or bool(self.content_length)


def read_head(scope: Scope) -> Head:
    """Read the head from what the server parsed."""
    headers = scope["headers"]
    client = scope.get("client")
    return Head(
        method=scope["method"],
        raw_path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"],
        headers=headers,
        fields=dict(headers),
        peer=client[0] if client else "",
    )
