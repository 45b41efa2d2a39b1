"""The operation `resize`: into a box, from the smallest copy that still has the detail."""

from typing import Final

from PIL import Image

from darkroom.contracts.recipes import Resize

# A copy twice the target's size gives the same picture as the original does, at a fraction.
ENOUGH: Final = 2
# Pillow averages down to this many times the target before it filters.
_REDUCING_GAP: Final = 3.0


def target_size(size: tuple[int, int], operation: Resize) -> tuple[int, int]:
    """Return the largest size inside the box with the same proportions; at least one pixel."""
    width, height = size
    scale = min(operation.width / width, operation.height / height)
    if operation.no_enlarge and scale >= 1:
        return size
    return max(1, round(width * scale)), max(1, round(height * scale))


def resize(image: Image.Image, operation: Resize, *, preview: Image.Image | None) -> Image.Image:
    """Scale to fit; `preview` is the same picture, smaller, where there is one."""
    size = target_size(image.size, operation)
    if size == image.size:
        return image
    if preview is not None and preview.width >= ENOUGH * size[0]:
        image = preview
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)
