import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Verdicts: TypeAlias = Mapping[str, str]
Lint: TypeAlias = Callable[[Mapping[str, str]], Verdicts]

# For each contract: a file and the one line in it that the contract must refuse.
PLANTED = {
    "apart": ("catalog/store/images.py", "import darkroom.upload.domain.sniff"),
    "across": ("platform/errors.py", "import darkroom.auth.domain.account"),
    "inside": ("catalog/domain/image.py", "import darkroom.catalog.store"),
    "pure": ("auth/domain/account.py", "import sqlalchemy"),
    "values": ("catalog/operations.py", "import darkroom.platform.settings"),
    "vendors": ("upload/store.py", "from minio import Minio"),
    "decoders": ("upload/domain/sniff.py", "from PIL import Image"),
    "facts": ("contracts/event.py", "import nats"),
    "tests": ("embedded/launch.py", "import darkroom.testing.pictures"),
}
# What the planted lines import must be there to be imported.
IMPORTED = {
    "auth/domain/account.py": "",
    "catalog/store/__init__.py": "",
    "testing/pictures.py": "",
    "upload/domain/sniff.py": "",
}
# The modules that every service has.
SKELETON = ("__main__", "app", "wiring", "settings", "operations")


def test_every_member_is_looked_at(
    root: Path, packages: list[Path], services: list[Path], project: dict[str, Any]
) -> None:
    members = {f"darkroom.{path.name}" for path in (*packages, *services)}
    assert set(project["tool"]["importlinter"]["root_packages"]) == members
    paths = {path.partition("/")[2] for path in project["tool"]["mypy"]["mypy_path"]}
    assert paths == {f"{path.relative_to(root)}/src" for path in (*packages, *services)}


def test_every_service_is_in_every_contract_about_services(
    services: list[Path], project: dict[str, Any]
) -> None:
    contracts = {
        contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]
    }
    named = {f"darkroom.{path.name}" for path in services}
    across = next(layer for layer in contracts["across"]["layers"] if "|" in layer)
    assert set(contracts["apart"]["modules"]) == named
    assert set(across.split(" | ")) == named
    assert set(contracts["inside"]["containers"]) == named
    assert set(contracts["vendors"]["source_modules"]) == named
    assert named <= set(contracts["tests"]["source_modules"])


def test_no_member_declares_a_service_it_could_import(services: list[Path]) -> None:
    names = {f"darkroom-{path.name}" for path in services}
    for service in services:
        declared = set(re.findall(r"darkroom-[a-z]+", (service / "pyproject.toml").read_text()))
        assert declared & names == {f"darkroom-{service.name}"}


@pytest.fixture
def skeleton(tmp_path: Path, project: dict[str, Any]) -> Path:
    linter = project["tool"]["importlinter"]
    named = {f"{package}.domain" for package in linter["root_packages"]}
    for package in linter["root_packages"]:
        named |= {f"{package}.{name}" for name in SKELETON}
    for contract in linter["contracts"]:
        named |= {name for name in contract.get("forbidden_modules", []) if "darkroom." in name}
    for module in named:
        home = tmp_path.joinpath(*module.split("."))
        home.mkdir(parents=True, exist_ok=True)
        (home / "__init__.py").touch()
    for package in linter["root_packages"]:
        tmp_path.joinpath(*package.split("."), "__init__.py").touch()
    return tmp_path


@pytest.fixture
def lint_with(skeleton: Path, root: Path) -> Lint:
    def lint(planted: Mapping[str, str]) -> Verdicts:
        for path, line in planted.items():
            file = skeleton / "darkroom" / path
            file.parent.mkdir(exist_ok=True)
            (file.parent / "__init__.py").touch()
            file.write_text(f"{line}\n")
        command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
        output = subprocess.run(
            [*command, "--config", str(root / "pyproject.toml")],
            cwd=skeleton,
            env={"PATH": os.defpath, "PYTHONPATH": str(skeleton), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        return dict(re.findall(r"(?m)^(.+) (KEPT|BROKEN)$", output))

    return lint


def test_untouched_skeleton_keeps_every_contract(lint_with: Lint, project: dict[str, Any]) -> None:
    names = {contract["name"] for contract in project["tool"]["importlinter"]["contracts"]}
    assert lint_with({}) == dict.fromkeys(names, "KEPT")


@pytest.mark.parametrize("contract", PLANTED)
def test_planted_import_breaks_its_contract(
    contract: str, lint_with: Lint, project: dict[str, Any]
) -> None:
    path, line = PLANTED[contract]
    names = {each["id"]: each["name"] for each in project["tool"]["importlinter"]["contracts"]}
    assert lint_with({**IMPORTED, path: line})[names[contract]] == "BROKEN"


def test_stray_file_in_a_service_is_refused(lint_with: Lint, project: dict[str, Any]) -> None:
    names = {each["id"]: each["name"] for each in project["tool"]["importlinter"]["contracts"]}
    assert lint_with({"catalog/extras.py": ""})[names["inside"]] == "BROKEN"
