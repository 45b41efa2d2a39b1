"""Animations: every frame through the same steps, one at a time, straight into the encoder."""

from collections.abc import Callable
from typing import Final

from PIL import Image

from darkroom.contracts.images import ImageFormat
from darkroom.processor.pipeline.work import Work

# Browsers play anything faster at a tenth of a second; other players burn a core on it.
MIN_DURATION_MS: Final = 20
CAN_MOVE: Final = frozenset({ImageFormat.GIF, ImageFormat.WEBP, ImageFormat.PNG, ImageFormat.AVIF})

Develop = Callable[[Image.Image], Image.Image]


class Frames(Image.Image):
    """A picture whose frames are made when an encoder seeks to them, so two exist at most."""

    def __init__(self, source: Image.Image, develop: Develop, *, first: int, count: int) -> None:
        super().__init__()
        self._source, self._develop, self._first = source, develop, first
        self.n_frames = count
        self.is_animated = True
        self._at = -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Make one frame; past the last one encoders expect EOFError."""
        if frame >= self.n_frames:
            raise EOFError(frame)
        if frame == self._at:
            return
        self._source.seek(self._first + frame)
        self._source.load()
        made = self._develop(self._source.copy())
        self.im, self._mode, self._size, self.palette = made.im, made.mode, made.size, made.palette
        self.info.clear()
        self.info.update(made.info)
        self._at = frame

    def tell(self) -> int:
        return self._at


def open_frames(work: Work, develop: Develop) -> Frames:
    """Open the source again for its own pass: the first one has kept only the first frame."""
    source = work.open()
    first = 1 if work.outline.has_hidden_first_frame else 0
    return Frames(source, develop, first=first, count=work.frames)


def timing(work: Work, frames: Frames) -> dict[str, object]:
    """Return durations and loop count as Pillow's encoders take them."""
    durations = work.outline.durations_ms or _told_by_decoder(work)
    options: dict[str, object] = {"duration": [max(d, MIN_DURATION_MS) for d in durations]}
    if work.loop is not None:
        options["loop"] = work.loop
    if frames.mode in {"RGBA", "P"}:
        options |= _DISPOSAL.get(work.format, {})
    return options


# Frames are whole pictures here. Where they can be seen through, the one before must be cleared
# first: GIF calls that 2; APNG 1, together with a blend of 0, which replaces.
_DISPOSAL: Final[dict[ImageFormat, dict[str, object]]] = {
    ImageFormat.GIF: {"disposal": 2},
    ImageFormat.PNG: {"disposal": 1, "blend": 0},
}


def _told_by_decoder(work: Work) -> list[int]:
    source = work.open()
    durations = []
    for frame in range(work.frames):
        source.seek(frame)
        source.load()
        durations.append(int(source.info.get("duration", MIN_DURATION_MS)))
    return durations
