"""What can be said of a file from its structure alone."""

from dataclasses import dataclass
from enum import StrEnum

from darkroom.contracts.images import ImageFormat


class Verdict(StrEnum):
    OK = "ok"
    INVALID = "invalid"
    TRUNCATED = "truncated"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    TOO_COMPLEX = "too_complex"


@dataclass(frozen=True, slots=True)
class Picture:
    """Width and height are those of the stored pixels, before any orientation is applied."""

    format: ImageFormat
    width: int
    height: int
    frames: int = 1


class Refusal(Exception):
    """Ends a header reader early; it never leaves `inspection`, which turns it into a value."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.reason = reason


def invalid(reason: str) -> Refusal:
    return Refusal(Verdict.INVALID, f"The file is damaged: {reason}.")


def truncated(reason: str = "it ends too early") -> Refusal:
    return Refusal(Verdict.TRUNCATED, f"The file is incomplete: {reason}.")


def too_complex(reason: str) -> Refusal:
    return Refusal(Verdict.TOO_COMPLEX, f"The file is too complex: {reason}.")


def unsupported(reason: str) -> Refusal:
    return Refusal(Verdict.UNSUPPORTED, f"This kind of file is not accepted: {reason}.")
