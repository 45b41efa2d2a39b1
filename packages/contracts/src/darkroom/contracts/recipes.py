"""Operations, recipes and presets: the one vocabulary of what may be done to a picture.

The models are the single source for validation, documentation and the processor. A recipe's
digest names its rendition, so two equal recipes for one image write the same object.
"""

import hashlib
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from darkroom.contracts.images import ImageFormat, RenditionName

# WebP cannot hold a longer side; every other format we write can hold at least this.
MAX_OUTPUT_SIDE: Final = 16_383
# Bumped when the processor's pixels or encoders change, so that stored renditions get other names.
PIPELINE_VERSION: Final = 1


class Operation(BaseModel):
    """Describe one step with typed, bounded parameters; `kind` tells the steps apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fit(StrEnum):
    """Say how a picture meets the box it is resized to."""

    INSIDE = "inside"


class Resize(Operation):
    """Scale to fit a box of `width` x `height` pixels; never enlarges while `no_enlarge` holds."""

    kind: Literal["resize"] = "resize"
    width: int = Field(ge=1, le=MAX_OUTPUT_SIDE)
    height: int = Field(ge=1, le=MAX_OUTPUT_SIDE)
    fit: Fit = Fit.INSIDE
    no_enlarge: bool = True


class Enhance(Operation):
    """Stretch tones to the histogram and sharpen a little; colour balance is kept."""

    kind: Literal["enhance"] = "enhance"


AnyOperation = Annotated[Resize | Enhance, Field(discriminator="kind")]


class Output(BaseModel):
    """Say how the result is encoded; without a format, as the source if we can write that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: ImageFormat | None = None
    quality: int | None = Field(default=None, ge=1, le=100)


class Recipe(BaseModel):
    """List operations in order and the output they end in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operations: tuple[AnyOperation, ...] = ()
    output: Output = Output()

    def digest(self) -> str:
        """Return 32 hex characters that name the recipe: equal recipes, equal digests."""
        canonical = f"{PIPELINE_VERSION}:{self.model_dump_json()}".encode()
        return hashlib.sha256(canonical).hexdigest()[:32]


class Preset(StrEnum):
    """Name what a partr upload may ask for."""

    OPTIMIZE = "optimize"
    ENHANCE = "enhance"
    NONE = "none"


THUMBNAIL_SIDE: Final = 320
THUMBNAIL: Final = Recipe(
    operations=(Resize(width=THUMBNAIL_SIDE, height=THUMBNAIL_SIDE),),
    output=Output(format=ImageFormat.WEBP, quality=75),
)
# `none` still orients, converts to sRGB and strips: served bytes are always ours, at high quality.
PROCESSED: Final = {
    Preset.OPTIMIZE: Recipe(output=Output(quality=82)),
    Preset.ENHANCE: Recipe(operations=(Enhance(),), output=Output(quality=85)),
    Preset.NONE: Recipe(output=Output(quality=92)),
}


def develop_recipes(preset: Preset) -> dict[RenditionName, Recipe]:
    """Return what a `develop` job makes for a preset: the processed picture and its thumbnail."""
    return {RenditionName.PROCESSED: PROCESSED[preset], RenditionName.THUMBNAIL: THUMBNAIL}
