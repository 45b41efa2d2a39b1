"""Step 4: upright by the file's own word, once; nothing downstream knows of orientation."""

from collections.abc import Mapping
from typing import Final

from PIL import Image

from darkroom.processor.pipeline.work import Work

_TURNS: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# These exchange the sides.
_SIDEWAYS: Final = frozenset({5, 6, 7, 8})


def apply_exif_orientation(work: Work) -> None:
    work.image = turned(work.image, work.orientation)
    if work.indexed is not None:
        work.indexed = turned(work.indexed, work.orientation)
    if work.orientation in _SIDEWAYS:
        work.width, work.height = work.height, work.width


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture upright; the same object where it already is."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)
