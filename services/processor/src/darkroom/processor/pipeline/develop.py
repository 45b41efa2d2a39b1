"""The steps in their order, and the edge where whatever a decoder raises becomes a verdict."""

import errno
import struct
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageCms

from darkroom.contracts.jobs import Findings, MadeRendition, WantedRendition
from darkroom.processor.domain.verdict import Refusal, Verdict
from darkroom.processor.pipeline import (
    colour,
    decode,
    findings,
    orient,
    probe,
    renditions,
    sample,
    strip,
)
from darkroom.processor.pipeline.codecs import prepare_codecs
from darkroom.processor.pipeline.work import Work

Step = Callable[[Work], None]

# These read what a stranger wrote: an error in them is the file's fault.
READING: Final[tuple[Step, ...]] = (
    probe.read_header,
    decode.load_pixels,
    colour.to_srgb,
)
# These work on our own pixels: an error in them is ours.
MAKING: Final[tuple[Step, ...]] = (
    orient.apply_exif_orientation,
    sample.take_preview,
    strip.drop_metadata,
    # The renditions come first: the largest is stored while the findings are made.
    renditions.make_all,
    findings.describe,
)
STEPS: Final = READING + MAKING

# Ten classes have come out of decoders on bad files; these are their families. What is none of
# them is no fault of a file: it goes up to the parent, and the job to the dead letters.
DECODER_FAULTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    Image.DecompressionBombError,
    ImageCms.PyCMSError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
# Storage of ours that is full or failing says nothing about the image.
_OUR_STORAGE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOENT})
# "Encoding error 1" is WebP's way to say it, "encoding of color planes" AVIF's.
_OUT_OF_MEMORY: Final = ("memory", "security limit", "encoding error 1", "color planes")
_CUT_SHORT: Final = ("truncated", "premature", "unexpected end", "end of file", "eof")
_TOO_MUCH: Final = ("too large", "too many", "exceed")


@dataclass(frozen=True, slots=True)
class Request:
    """What the parent asks of a child; renditions are written into `folder`."""

    source: Path
    folder: Path
    wanted: tuple[WantedRendition, ...]


@dataclass(frozen=True, slots=True)
class Developed:
    """What the child answers; all but verdict and detail is empty unless the verdict is `ok`."""

    verdict: Verdict
    detail: str = ""
    duration_ms: int = 0
    renditions: tuple[MadeRendition, ...] = ()
    findings: Findings | None = None


def prepare(_: None = None) -> None:
    """Load the decoders before the first job needs them."""
    prepare_codecs()


def develop(request: Request) -> Developed:
    """Run all steps; whatever is wrong with the file comes back as a verdict.

    Raises OSError only when our own storage fails.
    """
    started = time.perf_counter()
    prepare_codecs()
    # What a decoder finds odd and decodes all the same is nobody's concern.
    with ExitStack() as held, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work = Work(request.source, request.folder, request.wanted, held)
        refused = _run(work, READING, otherwise=Verdict.INVALID)
        refused = refused or _run(work, MAKING, otherwise=Verdict.CRASH)
    if refused is not None:
        return refused
    return Developed(
        Verdict.OK,
        duration_ms=round(1000 * (time.perf_counter() - started)),
        renditions=tuple(work.made),
        findings=work.findings,
    )


def _run(work: Work, steps: tuple[Step, ...], *, otherwise: Verdict) -> Developed | None:
    try:
        for step in steps:
            step(work)
    except Refusal as refusal:
        return Developed(refusal.verdict, refusal.detail)
    except DECODER_FAULTS as error:
        if isinstance(error, OSError) and error.errno in _OUR_STORAGE:
            raise
        return Developed(_judge(error, otherwise), f"{type(error).__name__}: {error}")
    return None


def _judge(error: Exception, otherwise: Verdict) -> Verdict:
    text = str(error).lower()
    if isinstance(error, MemoryError) or any(words in text for words in _OUT_OF_MEMORY):
        return Verdict.RESOURCES
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return Verdict.RESOURCES
    if any(words in text for words in _TOO_MUCH):
        return Verdict.TOO_COMPLEX
    if isinstance(error, EOFError) or any(words in text for words in _CUT_SHORT):
        return Verdict.TRUNCATED
    return otherwise
