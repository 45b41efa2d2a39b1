"""What can be said of a file after trying to develop it, and what its owner is told."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from darkroom.contracts.problems import ProblemCode


class Verdict(StrEnum):
    OK = "ok"
    INVALID = "invalid"
    TRUNCATED = "truncated"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    TOO_COMPLEX = "too_complex"
    RESOURCES = "resources"
    CRASH = "crash"


# Out of memory, time or space says nothing about the bytes being damaged, so `resources` never
# becomes "corrupt"; a decoder that dies tells only that we could not read the file.
PROBLEMS: Final[Mapping[Verdict, tuple[ProblemCode, str]]] = {
    Verdict.INVALID: (ProblemCode.IMAGE_CORRUPT, "The image is damaged and cannot be decoded."),
    Verdict.TRUNCATED: (ProblemCode.IMAGE_CORRUPT, "The image is cut short."),
    Verdict.UNSUPPORTED: (
        ProblemCode.UNSUPPORTED_FORMAT,
        "The image uses a format or feature that is not supported.",
    ),
    Verdict.TOO_LARGE: (ProblemCode.IMAGE_TOO_LARGE, "The image has too many pixels."),
    Verdict.TOO_COMPLEX: (
        ProblemCode.IMAGE_TOO_COMPLEX,
        "The image has too many frames, scans or parts.",
    ),
    Verdict.RESOURCES: (
        ProblemCode.IMAGE_TOO_COMPLEX,
        "The image takes more memory or time than one image may.",
    ),
    Verdict.CRASH: (ProblemCode.IMAGE_UNREADABLE, "The image could not be read."),
}


class Refusal(Exception):
    """Stops the pipeline with a verdict; the detail is for the log, never for a client."""

    def __init__(self, verdict: Verdict, detail: str) -> None:
        self.verdict = verdict
        self.detail = detail
        super().__init__(f"{verdict}: {detail}")
