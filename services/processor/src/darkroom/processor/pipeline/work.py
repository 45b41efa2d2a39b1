"""The one picture under work: what the steps have learnt and made so far."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from darkroom.contracts.images import ImageFormat
from darkroom.contracts.jobs import Findings, MadeRendition, WantedRendition
from darkroom.processor.pipeline.codecs import DECODERS
from darkroom.processor.pipeline.containers import Outline
from darkroom.processor.pipeline.notice import Notice


@dataclass(slots=True)
class Work:
    """Steps fill it in the order of their table; `image` is the first frame in its present state.

    `preview` is `image` at a fraction of its size: small outputs and findings start from it.
    `indexed` is the same picture with its palette, kept while no step has changed a pixel.
    """

    source: Path
    folder: Path
    wanted: tuple[WantedRendition, ...]
    held: ExitStack
    format: ImageFormat = field(init=False)
    outline: Outline = field(init=False)
    opened: Image.Image = field(init=False)
    image: Image.Image = field(init=False)
    preview: Image.Image = field(init=False)
    indexed: Image.Image | None = None
    notice: Notice = field(init=False)
    profile: bytes | None = None
    orientation: int = 1
    frames: int = 1
    loop: int | None = None
    width: int = 0
    height: int = 0
    subsampling: int | None = None
    findings: Findings = field(init=False)
    made: list[MadeRendition] = field(default_factory=list)

    def open(self) -> Image.Image:
        """Open the source with its one decoder; it is closed when the work is over."""
        image = Image.open(self.source, formats=(DECODERS[self.format],))
        return self.held.enter_context(image)
