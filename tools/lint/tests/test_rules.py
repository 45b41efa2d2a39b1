from collections.abc import Callable
from pathlib import Path, PurePosixPath
from textwrap import dedent
from typing import TypeAlias

import pytest

from tools.lint.__main__ import PYTHON_RULES, TEXT_RULES, lint
from tools.lint.source import Source

OPERATION = "services/catalog/src/darkroom/catalog/operations.py"
STORE = "services/catalog/src/darkroom/catalog/store/images.py"
TEST = "services/catalog/tests/unit/test_images.py"
# Filled in here so that this file names no index and no place either.
INDEX = "{}.org".format("pypi")
PLACE = "/{}/someone/darkroom".format("home")
Find: TypeAlias = Callable[[str, str, str], list[str]]

SAMPLES = {
    "acks": (
        OPERATION,
        "async def on_event(message):\n    await message.ack()",
        "async def on_event(event):\n    await register(event)",
    ),
    "addresses": (
        "README.md",
        f"pip install --proxy x {INDEX}\n",
        "pip install darkroom\n",
    ),
    "blind_excepts": (
        OPERATION,
        "try:\n    work()\nexcept (ValueError, Exception):\n    pass",
        "try:\n    work()\nexcept BaseException:\n    undo()\n    raise",
    ),
    "commits": (
        OPERATION,
        "async def close(session):\n    await session.commit()",
        "async def close(session):\n    await session.flush()",
    ),
    "log_events": (
        OPERATION,
        "log.info(f'image {image_id} registered')",
        "log.info('image_registered', image_id=image_id)",
    ),
    "mocks": (
        TEST,
        """
        from darkroom.catalog import store

        def test_x(monkeypatch):
            monkeypatch.setattr(store.images, 'find', None)
        """,
        "import time\n\ndef test_x(monkeypatch):\n    monkeypatch.setattr(time, 'time', float)",
    ),
    "names": (
        OPERATION,
        "class UploadManager:\n    pass",
        "class Uploads:\n    metadata: dict[str, str]",
    ),
    "owner_filters": (
        STORE,
        """
        def find(session, image_id, *, account_id):
            log.info("image_found", owner=account_id)
            return session.scalars(select(images).where(images.c.id == image_id))
        """,
        """
        def find(session, image_id, *, account_id):
            mine = images.c.account_id == account_id
            return session.scalars(select(images).where(images.c.id == image_id, mine))
        """,
    ),
    "positional": (
        OPERATION,
        "def crop(self, left, top, right, bottom, colour): ...",
        "def crop(self, box, *, gravity, colour, quality, format): ...",
    ),
    "settings": (
        OPERATION,
        "settings = CatalogSettings()",
        "def register(session, *, max_bytes): ...",
    ),
    "sizes": (
        OPERATION,
        "def work():\n" + "    step()\n" * 50,
        "def work():\n" + "    step()\n" * 49,
    ),
    "tested": (
        TEST,
        "def test_image_is_stored(store):\n    store.put(b'x')",
        """
        def test_empty_image_is_refused(store):
            with pytest.raises(ValueError):
                store.put(b'')
        """,
    ),
}


@pytest.fixture
def findings() -> Find:
    def find(rule: str, path: str, text: str) -> list[str]:
        source = Source(PurePosixPath(path), dedent(text))
        return [line for line in lint(source) if f" {rule}: " in line]

    return find


@pytest.mark.parametrize("rule", SAMPLES)
def test_rule_finds_the_bad_sample_and_passes_the_good_one(rule: str, findings: Find) -> None:
    path, bad, good = SAMPLES[rule]
    assert len(findings(rule, path, bad)) == 1
    assert findings(rule, path, good) == []


def test_every_rule_has_samples_and_says_what_goes_wrong_without_it() -> None:
    assert SAMPLES.keys() == PYTHON_RULES.keys() | TEXT_RULES.keys()
    rules = set((Path(__file__).parents[1] / "rules").glob("*.py"))
    assert {path.stem for path in rules} == SAMPLES.keys()
    assert all(path.read_text().startswith('"""Without it, ') for path in rules)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        ("addresses", "docs/setup.md", f"cd {PLACE}"),
        ("addresses", "tools/lock", "uv pip compile --extra-index-" + "url x"),
        ("commits", OPERATION, "async with sessions.begin():\n    pass"),
        ("log_events", OPERATION, "log.warning('image_registered', image_id)"),
        ("mocks", TEST, "from unittest.mock import MagicMock"),
        ("mocks", TEST, "def test_x(monkeypatch):\n    monkeypatch.setattr('darkroom.x.y', 1)"),
        ("names", "services/upload/src/darkroom/upload/helpers.py", ""),
        ("names", OPERATION, "def read(keyData): ..."),
        ("names", OPERATION, "do_work = 1"),
        ("names", OPERATION, "class Job:\n    def __init__(self):\n        self.data = 1"),
        ("settings", OPERATION, "PostgresSettings.model_validate({})"),
        ("sizes", OPERATION, "\n" * 251),
        ("tested", TEST, "def _upload(): ..."),
        ("tested", TEST, "def test_x():\n    'Say it twice.'\n    assert 1"),
    ],
)
def test_other_spellings_of_the_same_fault_are_found(
    rule: str, path: str, text: str, findings: Find
) -> None:
    assert len(findings(rule, path, text)) == 1


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        ("commits", "packages/platform/src/darkroom/platform/db/session.py", "session.commit()"),
        ("acks", "packages/platform/src/darkroom/platform/messaging/worker.py", "message.ack()"),
        (
            "owner_filters",
            STORE,
            "def add(self, owner):\n    insert(i).values(account_id=owner.id)",
        ),
        ("owner_filters", STORE, "def add(owner_id):\n    rows({'owner_id': owner_id})"),
        ("mocks", TEST, "import darkroom.x as x\n\nmonkeypatch.setattr(x, 'MAX_PIXELS', 4)"),
        ("names", TEST, "def test_data_survives_a_restart(): ..."),
        ("names", OPERATION, "class Line:\n    def data_received(self, data): ..."),
        ("names", OPERATION, "def strip(image):\n    image.info = {}"),
        ("owner_filters", STORE, "def lock(account_id):\n    where(accounts.c.id == account_id)"),
        ("positional", OPERATION, "@router.get('/')\ndef read(a, b, c, d, e): ..."),
        ("settings", "services/upload/src/darkroom/upload/wiring.py", "UploadSettings()"),
    ],
)
def test_the_place_made_for_it_may(rule: str, path: str, text: str, findings: Find) -> None:
    assert findings(rule, path, text) == []


def test_finding_is_waved_through_with_a_reason_and_only_for_its_rule(findings: Find) -> None:
    line = "def read(info): ...  # lint-allow: {}"
    assert findings("names", OPERATION, line.format("names the vendor calls it so")) == []
    assert len(findings("names", OPERATION, line.format("names why"))) == 1
    assert len(findings("names", OPERATION, line.format("acks the vendor calls it so"))) == 1
