import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from darkroom.embedded.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("up"), pytest.mark.timeout(240)]

Up = Callable[..., "subprocess.Popen[str]"]
READY_SECONDS = 120


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "a home"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def up(place: Path, port: int) -> Iterator[Up]:
    started: list[subprocess.Popen[str]] = []

    def start(**settings: str) -> "subprocess.Popen[str]":
        own = {"DARKROOM_HOME": str(place), "DARKROOM_PORT": str(port), "DARKROOM_PROCESSORS": "1"}
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8"} | own | settings
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "darkroom.embedded", "up"],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def lines_until(process: "subprocess.Popen[str]", words: str) -> list[str]:
    seen: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        seen.append(line.rstrip())
        if words in line:
            return seen
    pytest.fail("\n".join(seen))


def children_of(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process(process.pid).children(recursive=True)
    return found


def left_over(processes: list[psutil.Process]) -> list[psutil.Process]:
    alive = psutil.wait_procs(processes, timeout=10)[1]
    return [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]


def kill(process: "subprocess.Popen[str]", *words: str) -> None:
    victims = [
        each
        for each in psutil.Process(process.pid).children()
        if all(word in " ".join(each.cmdline()) for word in words)
    ]
    assert len(victims) == 1
    victims[0].kill()


async def status_of_an_image(facts: dict[str, Any]) -> tuple[int, int]:
    headers = {"X-API-Key": facts["keys"]["pk"]}
    url = f"{facts['base_url']}/api/v1/albums/{facts['album_id']}/images"
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as reply:
        body = await reply.json()
        return reply.status, body["meta"]["total"] if reply.status == 200 else 0


def test_the_first_start_tells_everything_and_the_second_finds_it_again(
    up: Up, place: Path, port: int
) -> None:
    first = up()
    said = lines_until(first, "Accounts and keys are in")
    facts = json.loads((place / "dev.json").read_text())
    assert stat.S_IMODE((place / "dev.json").stat().st_mode) == 0o600
    assert facts["base_url"] == f"http://localhost:{port}"
    assert facts["keys"]["pk"].startswith("pk_")
    assert set(facts) == {"base_url", "admin", "demo", "keys", "album_id", "mail_dir"}
    for kind in ("uploads", "processed", "thumbnails"):
        assert any(f"{facts['base_url']}/storage/{kind}/img_" in line for line in said)
    curl = next(line for line in said if line.strip().startswith("curl "))
    answer = subprocess.run(["sh", "-c", f"{curl} -s"], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["status"] == "queued"
    processes = children_of(first)
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 0
    assert left_over(processes) == []

    second = up()
    started = time.monotonic()
    said = lines_until(second, "Accounts and keys are in")
    print(f"second start: {time.monotonic() - started:.1f} s")
    assert not any("/storage/" in line for line in said)
    assert json.loads((place / "dev.json").read_text()) == facts
    assert asyncio.run(status_of_an_image(facts)) == (200, 2)


def test_a_killed_part_is_back_on_its_port_and_nothing_outlives_the_platform(
    up: Up, place: Path
) -> None:
    platform = up()
    lines_until(platform, "Accounts and keys are in")
    facts = json.loads((place / "dev.json").read_text())
    for words in (("bin/postgres",), ("nats-server",), ("rclone",), ("darkroom.catalog", "serve")):
        kill(platform, *words)
        said = lines_until(platform, "is back")
        assert any("killed by SIGKILL" in line for line in said)
        deadline = time.monotonic() + 20
        while asyncio.run(status_of_an_image(facts)) != (200, 1):
            assert time.monotonic() < deadline, words
            time.sleep(0.2)  # noqa: TID251 no loop runs here
    processes = children_of(platform)
    platform.kill()
    platform.wait()
    assert left_over(processes) == []


def test_a_signal_during_the_start_ends_it(up: Up) -> None:
    platform = up()
    lines_until(platform, "nats")
    processes = children_of(platform)
    platform.send_signal(signal.SIGINT)
    assert platform.wait(15) == 0
    assert left_over(processes) == []


def refused(process: "subprocess.Popen[str]") -> str:
    output, _ = process.communicate(timeout=30)
    assert process.returncode not in {0, None}
    assert "Traceback" not in output
    *_, last = output.strip().splitlines()
    assert last.startswith("darkroom: ")
    return last


def test_a_port_in_use_is_one_sentence(up: Up, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        assert f"Port {port} is in use" in refused(up())


def test_a_second_platform_on_one_home_is_refused(up: Up, place: Path) -> None:
    first = up()
    lines_until(first, "nats")
    sentence = refused(up(DARKROOM_PORT=str(free_port())))
    assert f"already runs on {place} (process {first.pid})" in sentence


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"DARKROOM_PORT": "many"}, "DARKROOM_PORT is not usable"),
        ({"DARKROOM_PUBLIC_URL": "nonsense"}, "DARKROOM_PUBLIC_URL is not usable"),
        ({"DARKROOM_ADMIN_EMAIL": "nobody"}, "DARKROOM_ADMIN_EMAIL is not usable"),
        ({"DARKROOM_HOST": "300.1.1.1"}, "DARKROOM_HOST is not usable"),
        ({"DARKROOM_HOME": "/dev/null/home"}, "cannot be used: Not a directory"),
        ({"DARKROOM_HOME": "/proc/home"}, "/proc/home"),
    ],
)
def test_what_cannot_work_is_one_sentence(up: Up, settings: dict[str, str], sentence: str) -> None:
    assert sentence in refused(up(**settings))
