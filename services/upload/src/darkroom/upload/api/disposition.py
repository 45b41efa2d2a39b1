"""Content-Disposition of a form part: its field name, and the file name in either spelling."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from darkroom.upload.domain.errors import MalformedForm

# A parameter: a token, an equals sign, then a quoted string or a token. Matched one after the
# other from where the last one ended, so the whole header is read once.
PARAMETER: Final = re.compile(
    r"""\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))""", re.DOTALL
)
# Only what must be escaped is unescaped: some clients send `C:\pictures\cat.jpg` as it is.
ESCAPED: Final = re.compile(r'\\(["\\])')
# RFC 5987: charset, language, percent-encoded bytes.
EXTENDED: Final = re.compile(r"^(utf-8|iso-8859-1)'[A-Za-z0-9-]*'(.*)$", re.IGNORECASE | re.DOTALL)


def read_disposition(header: bytes) -> tuple[str, str | None]:
    """Return a part's field name and its file name; raises MalformedForm without the former."""
    kind, parameters = _parameters(_decode(header))
    if kind != "form-data" or "name" not in parameters:
        raise MalformedForm("A part of the form does not say which field it is.")
    filename = parameters.get("filename")
    extended = EXTENDED.match(parameters.get("filename*", ""))
    if extended:
        charset, encoded = extended.groups()
        filename = unquote_to_bytes(encoded).decode(charset, errors="replace")
    return parameters["name"], filename


def _decode(header: bytes) -> str:
    """Read a header as the UTF-8 that browsers send, or else as the Latin-1 of the standard."""
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")


def _parameters(text: str) -> tuple[str, dict[str, str]]:
    kind = text.partition(";")[0]
    parameters: dict[str, str] = {}
    at = len(kind)
    while match := PARAMETER.match(text, at):
        name, quoted, token = match.groups()
        value = token if quoted is None else ESCAPED.sub(r"\1", quoted)
        parameters.setdefault(name.lower(), value)
        at = match.end()
    if text[at:].strip(" ;"):
        raise MalformedForm("A part of the form has a header that cannot be read.")
    return kind.strip().lower(), parameters
