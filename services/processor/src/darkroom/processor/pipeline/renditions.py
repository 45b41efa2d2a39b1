"""Step 7: each wanted rendition made from the same pixels, and written as a file."""

import hashlib
from pathlib import Path
from typing import Any

from PIL import Image

from darkroom.contracts.images import ImageFormat, RenditionName
from darkroom.contracts.jobs import MadeRendition, WantedRendition
from darkroom.contracts.recipes import Enhance, Recipe, Resize
from darkroom.processor.pipeline.animate import CAN_MOVE, open_frames, timing
from darkroom.processor.pipeline.colour import normalise
from darkroom.processor.pipeline.encode import format_for, options_for, writable
from darkroom.processor.pipeline.enhance import enhance
from darkroom.processor.pipeline.notice import as_exif
from darkroom.processor.pipeline.orient import turned
from darkroom.processor.pipeline.resize import resize
from darkroom.processor.pipeline.strip import bare
from darkroom.processor.pipeline.work import Work

_HOLDS_EXIF = frozenset({ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.AVIF})
_HOLDS_PALETTE = frozenset({ImageFormat.GIF, ImageFormat.PNG})


def make_all(work: Work) -> None:
    work.made = [_make(work, wanted) for wanted in work.wanted]


def _make(work: Work, wanted: WantedRendition) -> MadeRendition:
    output = wanted.recipe.output
    target = format_for(output, work.format, work.image)
    image, extra = _picture(work, wanted, target)
    options = options_for(target, output, image, subsampling=work.subsampling) | extra
    if target in _HOLDS_EXIF and work.notice:
        options["exif"] = as_exif(work.notice)
    path = work.folder / f"{wanted.name}.{target.extension}"
    # Under its final name only when whole: the parent stores a file as soon as it sees it.
    unfinished = path.with_suffix(".part")
    image.save(unfinished, target.value, **options)
    unfinished.rename(path)
    return _described(wanted, target, image, path)


def _picture(
    work: Work, wanted: WantedRendition, target: ImageFormat
) -> tuple[Image.Image, dict[str, Any]]:
    """Choose the frames, the palette's own picture, or the first frame's pixels."""
    # A thumbnail stands still; what is processed moves as its source did.
    moves = work.frames > 1 and target in CAN_MOVE and wanted.name is RenditionName.PROCESSED
    if moves:
        frames = open_frames(work, lambda frame: _developed(work, frame, wanted.recipe, target))
        return frames, {"save_all": True, **timing(work, frames)}
    if work.indexed is not None and not wanted.recipe.operations and target in _HOLDS_PALETTE:
        return work.indexed, {}
    image = _operated(work.image, wanted.recipe, preview=work.preview)
    return writable(image, target), {}


def _developed(work: Work, frame: Image.Image, recipe: Recipe, target: ImageFormat) -> Image.Image:
    """Bring one further frame through the steps the first one took."""
    upright = turned(frame, work.orientation)
    if frame.mode == "P" and work.profile is None and not recipe.operations:
        return bare(upright)
    made = _operated(normalise(upright, work.profile), recipe, preview=None)
    made.info = {}
    return writable(made, target)


def _operated(image: Image.Image, recipe: Recipe, *, preview: Image.Image | None) -> Image.Image:
    for operation in recipe.operations:
        match operation:
            case Resize():
                image = resize(image, operation, preview=preview)
            case Enhance():
                image = enhance(image, preview=preview)
        # The small copy shows the picture before this operation, not after.
        preview = None
    return image


def _described(
    wanted: WantedRendition, target: ImageFormat, image: Image.Image, path: Path
) -> MadeRendition:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return MadeRendition(
        name=wanted.name,
        recipe_digest=wanted.recipe.digest(),
        key=f"{wanted.key_stem}.{target.extension}",
        format=target,
        width=image.width,
        height=image.height,
        size_bytes=path.stat().st_size,
        sha256=digest,
    )
