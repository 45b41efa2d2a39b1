"""The contenders of `pipeline.py`: each makes the same three outputs from `source.jpg`.

python pipeline_contenders.py NAME FOLDER QUALITY SIDE THUMBNAIL_QUALITY
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

SAMPLE_SIDE = 100


@dataclass(frozen=True)
class Task:
    """Where the source is, and what to make of it."""

    folder: Path
    quality: int
    side: int
    thumbnail_quality: int

    @property
    def source(self) -> str:
        return str(self.folder / "source.jpg")

    @property
    def processed(self) -> str:
        return str(self.folder / "processed.jpg")

    @property
    def thumbnail(self) -> str:
        return str(self.folder / "thumbnail.webp")


def ours(task: Task) -> Callable[[], float]:
    """Run our own steps as a child does; answers the milliseconds the findings took."""
    from darkroom.contracts.jobs import WantedRendition  # noqa: PLC0415 - in its own process only
    from darkroom.contracts.recipes import Preset, develop_recipes  # noqa: PLC0415
    from darkroom.processor.pipeline.codecs import prepare_codecs  # noqa: PLC0415
    from darkroom.processor.pipeline.develop import STEPS  # noqa: PLC0415
    from darkroom.processor.pipeline.findings import describe  # noqa: PLC0415
    from darkroom.processor.pipeline.work import Work  # noqa: PLC0415

    prepare_codecs()
    wanted = tuple(
        WantedRendition(name=name, recipe=recipe, key_stem=name)
        for name, recipe in develop_recipes(Preset.OPTIMIZE).items()
    )

    def develop() -> float:
        findings = 0.0
        with ExitStack() as held:
            work = Work(Path(task.source), task.folder, wanted, held)
            for step in STEPS:
                started = time.perf_counter()
                step(work)
                if step is describe:
                    findings = 1000 * (time.perf_counter() - started)
        return findings

    return develop


def naive_pillow(task: Task) -> Callable[[], float]:
    """Do what a tutorial does: three times from the whole picture."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - in its own process only

    def develop() -> float:
        with Image.open(task.source) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        image.save(task.processed, quality=task.quality, subsampling="4:2:0")
        box = (task.side, task.side * image.height // image.width)
        thumbnail = image.resize(box, Image.Resampling.LANCZOS)
        thumbnail.save(task.thumbnail, quality=task.thumbnail_quality, method=4)
        image.resize((SAMPLE_SIDE, SAMPLE_SIDE), Image.Resampling.LANCZOS).tobytes()
        return 0.0

    return develop


def vips_once(task: Task) -> Callable[[], float]:
    """Decode once into memory and derive the rest, as we do."""
    import pyvips  # noqa: PLC0415 - in its own process only

    pyvips.cache_set_max(0)

    def develop() -> float:
        image = pyvips.Image.new_from_file(task.source).autorot().copy_memory()
        image.jpegsave(task.processed, Q=task.quality, keep="none")
        thumbnail = image.thumbnail_image(task.side, height=task.side, size="down")
        thumbnail = thumbnail.copy_memory()
        thumbnail.webpsave(task.thumbnail, Q=task.thumbnail_quality, effort=4, keep="none")
        thumbnail.thumbnail_image(SAMPLE_SIDE, height=SAMPLE_SIDE).write_to_memory()
        return 0.0

    return develop


def vips_streams(task: Task) -> Callable[[], float]:
    """Read the file once for each output, small ones with shrink-on-load: the documented way."""
    import pyvips  # noqa: PLC0415 - in its own process only

    pyvips.cache_set_max(0)

    def develop() -> float:
        image = pyvips.Image.new_from_file(task.source, access="sequential").autorot()
        image.jpegsave(task.processed, Q=task.quality, keep="none")
        thumbnail = pyvips.Image.thumbnail(task.source, task.side, height=task.side)
        thumbnail.webpsave(task.thumbnail, Q=task.thumbnail_quality, effort=4, keep="none")
        pyvips.Image.thumbnail(task.source, SAMPLE_SIDE, height=SAMPLE_SIDE).write_to_memory()
        return 0.0

    return develop


CONTENDERS = {
    "ours": (ours, "pillow"),
    "naive": (naive_pillow, "pillow"),
    "vips-once": (vips_once, "pyvips"),
    "vips-streams": (vips_streams, "pyvips"),
}


def main() -> None:
    """Develop whenever a line comes in, and answer with the times."""
    name, folder, *numbers = sys.argv[1:]
    make, package = CONTENDERS[name]
    develop = make(Task(Path(folder), *map(int, numbers)))
    for _line in sys.stdin:
        started, used = time.perf_counter(), time.process_time()
        findings = develop()
        wall, cpu = time.perf_counter() - started, time.process_time() - used
        told = {"wall": 1000 * wall, "cpu": 1000 * cpu, "findings": findings}
        print(json.dumps(told | {"versions": f"{package} {version(package)}"}), flush=True)


if __name__ == "__main__":
    main()
