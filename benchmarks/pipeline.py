"""The develop job beside the usual ways to do it: images a second on one core.

Every contender reads the same 12-megapixel JPEG from a memory file system, turns it upright and
makes the same three outputs: the full-size JPEG at quality 82 in 4:2:0, the 320-pixel WebP at
quality 75, method 4, and a small raw sample. Ours also computes the findings from that sample
(BlurHash, ThumbHash, palette, PDQ), which nobody else does; they are inside our total and told
separately. Each contender is a process of its own, pinned to the same core, single-threaded;
rounds are interleaved, so that a slow minute of the machine hits all alike.

    python benchmarks/pipeline.py --rounds 15 --sharp-dir /path/with/node_modules
"""

import argparse
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from darkroom.contracts.recipes import PROCESSED, THUMBNAIL, THUMBNAIL_SIDE, Preset
from darkroom.testing import pictures

QUALITY = PROCESSED[Preset.OPTIMIZE].output.quality
THUMBNAIL_QUALITY = THUMBNAIL.output.quality
# What our children run with; see confinement.py.
OUR_ENVIRONMENT = {"PILLOW_BLOCKS_MAX": "8", "OPENBLAS_NUM_THREADS": "1"}


@dataclass
class Contender:
    """One process that develops the source each time it is asked to."""

    name: str
    process: subprocess.Popen[str]
    folder: Path
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    findings: list[float] = field(default_factory=list)
    versions: str = ""

    def run(self, *, counts: bool) -> None:
        if self.process.stdin is None or self.process.stdout is None:
            raise SystemExit("pipes were asked for")
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with {self.process.wait()}")
        told = json.loads(line)
        self.versions = told["versions"]
        if counts:
            self.walls.append(told["wall"])
            self.cpus.append(told["cpu"])
            self.findings.append(told.get("findings", 0.0))

    @property
    def wall(self) -> float:
        return statistics.median(self.walls)

    @property
    def row(self) -> str:
        sizes = [(self.folder / n).stat().st_size for n in ("processed.jpg", "thumbnail.webp")]
        low, high = min(self.walls), max(self.walls)
        return (
            f"{self.name:34} {self.wall:7.1f} {low:6.1f}-{high:5.1f} "
            f"{statistics.median(self.cpus):7.1f} {1000 / self.wall:6.2f} "
            f"{sizes[0]:9,} {sizes[1]:7,}"
        )


HERE = Path(__file__).parent
CONTENDERS: dict[str, tuple[str, dict[str, str]]] = {
    "darkroom (with findings)": ("ours", OUR_ENVIRONMENT),
    "pillow, naive": ("naive", {}),
    "pyvips, decoding once": ("vips-once", {"VIPS_CONCURRENCY": "1"}),
    "pyvips, shrink-on-load": ("vips-streams", {"VIPS_CONCURRENCY": "1"}),
}
SHARPS = {"sharp, its defaults": "optimised", "sharp, plain Huffman as ours": "plain"}


def start(root: Path, source: bytes, sharp_dir: Path | None) -> list[Contender]:
    script = str(HERE / "pipeline_contenders.py")
    commands = {
        name: ([sys.executable, script, short], environment)
        for name, (short, environment) in CONTENDERS.items()
    }
    modules = _node_modules(sharp_dir)
    if modules is None:
        print("sharp is absent: give --sharp-dir or NODE_PATH, and have node on the PATH\n")
    else:
        environment = {"NODE_PATH": str(modules), "UV_THREADPOOL_SIZE": "1"}
        for name, coding in SHARPS.items():
            commands[name] = (["node", str(HERE / "pipeline_sharp.js"), coding], environment)
    return [
        _started(root / f"{number}", name, command=command, environment=environment, source=source)
        for number, (name, (command, environment)) in enumerate(commands.items())
    ]


def _node_modules(sharp_dir: Path | None) -> Path | None:
    named = os.environ.get("NODE_PATH") or "-"  # noqa: TID251 - node's own variable
    given = sharp_dir / "node_modules" if sharp_dir else Path(named)
    return given if shutil.which("node") and (given / "sharp").is_dir() else None


def _started(
    folder: Path, name: str, *, command: list[str], environment: dict[str, str], source: bytes
) -> Contender:
    folder.mkdir()
    (folder / "source.jpg").write_bytes(source)
    numbers = (QUALITY, THUMBNAIL_SIDE, THUMBNAIL_QUALITY)
    process = subprocess.Popen(
        [*command, str(folder), *map(str, numbers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},  # noqa: TID251 - the contenders' PATH
    )
    return Contender(name, process, folder)


def report(contenders: list[Contender], rounds: int, source: bytes) -> None:
    first = contenders[0]
    print(f"date      {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    print(
        f"machine   {platform.processor() or platform.machine()}, {platform.system()} "
        f"{platform.release()}, one of {os.cpu_count()} cores; python {platform.python_version()}"
    )
    print(f"versions  {'; '.join(dict.fromkeys(c.versions for c in contenders))}")
    print(f"command   {shlex.join(['python', *sys.argv])}")
    print(f"source    {len(source):,} bytes of JPEG, 4000x3000, quality 90, 4:2:0")
    print(
        f"outputs   JPEG quality {QUALITY} 4:2:0; WebP {THUMBNAIL_SIDE} px, quality "
        f"{THUMBNAIL_QUALITY}, method 4; raw sample; medians of {rounds} interleaved rounds\n"
    )
    print(
        f"{'':34} {'wall ms':>7} {'range':>12} {'cpu ms':>7} {'img/s':>6} "
        f"{'JPEG':>9} {'WebP':>7} {'ours is':>8}"
    )
    for contender in contenders:
        print(f"{contender.row} {contender.wall / first.wall:7.2f}x")
    print(f"\nof ours, findings take {statistics.median(first.findings):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sharp-dir", type=Path)
    arguments = parser.parse_args()
    source = pictures.photograph()
    # Children inherit it: whatever threads a contender has, they share one core.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    memory = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as root:
        contenders = start(Path(root), source, arguments.sharp_dir)
        # The first rounds warm caches and decoders, and are not counted.
        for number in range(-2, arguments.rounds):
            for contender in contenders:
                contender.run(counts=number >= 0)
        report(contenders, arguments.rounds, source)
        for contender in contenders:
            contender.process.terminate()
            contender.process.wait()


if __name__ == "__main__":
    main()
