# The documented samples, run as printed: only base URL, key, ids and file path are replaced.
# The pages belong to others and are no part of this repository. They are read from
# DARKROOM_SEED_PAGES or from where they lie beside the checkout, and skipped where they are not;
# test_walkthrough.py makes the same calls in our own words.
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from darkroom.testing import pictures
from darkroom.testing.stack import Partr, Stack

ROOT = Path(__file__).parents[2]
PAGES = Path(os.environ.get("DARKROOM_SEED_PAGES", ROOT.parent / "shared/reference/seeds"))
PAGE = PAGES / "000_8962daef3aec97a7.txt"
LANGUAGES = ("cURL", "Python", "JavaScript", "Response")
SECTIONS = ("upload", "list", "detail")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.skipif(not PAGE.exists(), reason="the documented page is not beside the checkout"),
]


@dataclass(frozen=True)
class Sample:
    """One printed block, ready to run in a folder that holds image.jpg."""

    text: str
    folder: Path

    def run(self, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
async def image_id(partr: Partr, stack: Stack) -> str:
    image = await partr.develop(pictures.jpeg(64, 48), album_id=stack.album_id)
    return str(image["id"])


@pytest.fixture
def sample(request: pytest.FixtureRequest, stack: Stack, image_id: str, tmp_path: Path) -> Sample:
    section, language = request.param
    page = PAGE.read_text()
    # Each of the page's three endpoints prints its blocks in the same order, under these lines.
    pattern = rf"^{language}\n(.*?)\n(?={'|'.join(LANGUAGES)}\n|\Z)"
    text = re.findall(pattern, page, flags=re.DOTALL | re.MULTILINE)[SECTIONS.index(section)]
    picture = tmp_path / "image.jpg"
    picture.write_bytes(pictures.jpeg(64, 48))
    for old, new in {
        "https://partr.ai": stack.base_url,
        "YOUR_API_TOKEN": stack.key,
        "your-album-id": stack.album_id,
        "img_abc123xyz": image_id,
        "/path/to/image.jpg": str(picture),
    }.items():
        text = text.replace(old, new)
    return Sample(text, tmp_path)


@pytest.mark.parametrize("sample", [(s, "cURL") for s in SECTIONS], indirect=True, ids=SECTIONS)
def test_a_curl_sample_runs_as_printed(sample: Sample) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    reply = json.loads(sample.run(["bash", "-c", sample.text]))
    assert {"image_id", "images", "id"} & set(reply)


@pytest.mark.parametrize("sample", [(s, "Python") for s in SECTIONS], indirect=True, ids=SECTIONS)
def test_a_python_sample_runs_as_printed(sample: Sample) -> None:
    out = sample.run([sys.executable, "-c", sample.text])
    assert re.search(r"img_[0-9A-Za-z]{24}", out)


@pytest.mark.parametrize(
    ("sample", "printed"),
    [
        (("upload", "JavaScript"), r"^img_[0-9A-Za-z]{24} queued$"),
        (("list", "JavaScript"), r"^Total: [1-9]\d*, Page: 1$"),
        (("detail", "JavaScript"), r"^Processed: http.*\nThumbnail: http"),
    ],
    indirect=["sample"],
    ids=SECTIONS,
)
def test_a_javascript_sample_runs_as_printed(sample: Sample, printed: str) -> None:
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    script = sample.folder / "sample.mjs"
    # The page leaves where the file comes from, and what is done with the result, to its reader.
    script.write_text(
        'import { readFileSync } from "node:fs";\n'
        'const imageFile = new File([readFileSync("image.jpg")], "image.jpg");\n'
        f"{sample.text}\n"
        'if (typeof image_id !== "undefined") console.log(image_id, status);\n'
    )
    assert re.search(printed, sample.run(["node", str(script)]), flags=re.MULTILINE)
