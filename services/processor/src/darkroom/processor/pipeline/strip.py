"""Step 6: nothing a file said about itself survives but the notice, which is written anew.

The colour profile goes too: pixels are sRGB here, which is what a picture without a profile
means everywhere, and a profile that describes other pixels would be wrong.
"""

from PIL import Image

from darkroom.processor.pipeline.work import Work


def drop_metadata(work: Work) -> None:
    work.image.info = {}
    work.preview.info = {}
    if work.indexed is not None:
        work.indexed = bare(work.indexed)


def bare(image: Image.Image) -> Image.Image:
    """Return a copy that knows its pixels only; of a palette's picture also the clear colour."""
    copy = image.copy()
    kept = ("transparency",) if copy.mode == "P" else ()
    copy.info = {key: image.info[key] for key in kept if key in image.info}
    return copy
