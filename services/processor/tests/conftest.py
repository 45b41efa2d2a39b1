import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from darkroom.contracts.images import RenditionName
from darkroom.contracts.jobs import Findings, MadeRendition, WantedRendition
from darkroom.contracts.recipes import Preset, Recipe, develop_recipes
from darkroom.processor.domain.verdict import Verdict
from darkroom.processor.pipeline import Developed, Request, develop


@dataclass(frozen=True)
class Outcome:
    developed: Developed
    folder: Path

    @property
    def verdict(self) -> Verdict:
        return self.developed.verdict

    @property
    def findings(self) -> Findings:
        assert self.developed.findings is not None, self.developed
        return self.developed.findings

    def made(self, name: RenditionName = RenditionName.PROCESSED) -> MadeRendition:
        assert self.verdict is Verdict.OK, self.developed
        return next(made for made in self.developed.renditions if made.name is name)

    def bytes(self, name: RenditionName = RenditionName.PROCESSED) -> bytes:
        return (self.folder / f"{name}.{self.made(name).format.extension}").read_bytes()

    def image(self, name: RenditionName = RenditionName.PROCESSED) -> Image.Image:
        image = Image.open(io.BytesIO(self.bytes(name)))
        image.load()
        return image

    def pixels(self, name: RenditionName = RenditionName.PROCESSED) -> NDArray[np.int16]:
        return np.asarray(self.image(name).convert("RGB")).astype(np.int16)


@pytest.fixture
def wanted() -> Callable[[dict[RenditionName, Recipe]], tuple[WantedRendition, ...]]:
    return lambda recipes: tuple(
        WantedRendition(name=name, recipe=recipe, key_stem=f"renditions/x/{name}")
        for name, recipe in recipes.items()
    )


@pytest.fixture
def request_for(
    tmp_path: Path,
    wanted: Callable[[dict[RenditionName, Recipe]], tuple[WantedRendition, ...]],
) -> Callable[..., Request]:
    def make(
        content: bytes, preset: Preset = Preset.OPTIMIZE, recipe: Recipe | None = None
    ) -> Request:
        recipes = develop_recipes(preset)
        if recipe is not None:
            recipes[RenditionName.PROCESSED] = recipe
        source = tmp_path / "source"
        source.write_bytes(content)
        return Request(source, tmp_path, wanted(recipes))

    return make


@pytest.fixture
def developed(request_for: Callable[..., Request]) -> Callable[..., Outcome]:
    def make(
        content: bytes, preset: Preset = Preset.OPTIMIZE, recipe: Recipe | None = None
    ) -> Outcome:
        request = request_for(content, preset, recipe)
        return Outcome(develop(request), request.folder)

    return make


@pytest.fixture
def difference() -> Callable[[NDArray[np.int16], NDArray[np.int16]], float]:
    # The mean is what an encoder's loss moves; a wrong turn or a wrong colour moves it by tens.
    return lambda one, other: float(np.abs(one - other).mean())


@pytest.fixture
def expected() -> Callable[[Image.Image], NDArray[np.int16]]:
    return lambda image: np.asarray(image.convert("RGB")).astype(np.int16)
