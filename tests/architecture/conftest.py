import tomllib
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def services(root: Path) -> list[Path]:
    return sorted(path.parent for path in (root / "services").glob("*/pyproject.toml"))


@pytest.fixture(scope="session")
def packages(root: Path) -> list[Path]:
    return sorted(path.parent for path in (root / "packages").glob("*/pyproject.toml"))
