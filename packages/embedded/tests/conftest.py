import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from darkroom.embedded.children import Command
from darkroom.embedded.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture
def python() -> Callable[..., Command]:
    def make(source: str, **options: str | dict[str, str]) -> Command:
        return Command((sys.executable, "-u", "-c", source), **options)  # type: ignore[arg-type]

    return make
