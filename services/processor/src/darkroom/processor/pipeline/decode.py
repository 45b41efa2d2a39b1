"""Step 2: the only decode; everything is derived from its pixels."""

from PIL import ExifTags, Image, JpegImagePlugin

from darkroom.contracts.recipes import Enhance
from darkroom.processor.domain.budget import FULL_SCALE_PIXELS
from darkroom.processor.pipeline.notice import METADATA_FAULTS, read_notice
from darkroom.processor.pipeline.work import Work


def load_pixels(work: Work) -> None:
    """Read orientation and notice, then decode the first frame that is shown."""
    image = work.opened
    work.width, work.height = image.size
    if work.outline.has_hidden_first_frame:
        image.seek(1)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        work.subsampling = JpegImagePlugin.get_sampling(image)
        if _needs_reduction(work):
            image.draft(None, (image.width // 2, image.height // 2))
    image.load()
    work.orientation = _orientation(image)
    work.notice = read_notice(image)
    work.profile = image.info.get("icc_profile")
    work.image = image


def _needs_reduction(work: Work) -> bool:
    # Enhancing holds three copies; at 100 MP they would not fit beside the decoder.
    copies = any(isinstance(op, Enhance) for w in work.wanted for op in w.recipe.operations)
    return copies and work.width * work.height > FULL_SCALE_PIXELS


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except METADATA_FAULTS:
        return 1
    return value if value in range(2, 9) else 1
