"""Makes `.venv` from a hashed lock and the members, once, showing how far it is.

Standard library only: it runs before anything is installed.
"""

import argparse
import contextlib
import errno
import fcntl
import hashlib
import importlib.util
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn, TextIO

ROOT: Final = Path(__file__).resolve().parent.parent
VENV: Final = ROOT / ".venv"
PYTHON: Final = VENV / "bin" / "python"
STAMP: Final = VENV / "installed.json"
LOG: Final = VENV / "install.log"
# Each set contains the ones before it.
SETS: Final = ("run", "test", "bench")
# The members that only tests import; `make run` does without them.
TEST_MEMBERS: Final = frozenset({"testing"})
# The largest set unpacks to under 0.8 GB, and pip needs room for the wheels besides.
NEEDED_BYTES: Final = 1_500_000_000
# Nobody should wonder for longer whether it still works.
SILENCE_SECONDS: Final = 5.0
# What pip says when it fails, and what the person at the keyboard can do about it.
REASONS: Final = (
    ("No space left on device", "The disk is full. Free some space and run it again."),
    ("Permission denied", "A file cannot be written. Check who owns the folder and its .venv."),
    ("DO NOT MATCH THE HASHES", "A package differs from its locked hash and was not installed."),
    ("No matching distribution", "A package could not be found. Is the network there?"),
    ("Failed to establish a new connection", "The network did not answer. Try again later."),
    ("Read timed out", "The network did not answer. Try again later."),
    ("Failed to build", "A package has no wheel for this machine, and no compiler could build it."),
    ("Failed building wheel", "A package has no wheel here, and no compiler could build it."),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/setup", description=__doc__)
    parser.add_argument("wanted", choices=SETS)
    wanted = parser.parse_args().wanted
    try:
        with locked():
            ensure(wanted)
    except OSError as error:
        stop(sentence_for(error))


def ensure(wanted: str) -> None:
    stamp = read_stamp()
    usable = stamp.get("root") == str(ROOT) and is_working()
    chosen = max(wanted, stamp.get("set", wanted), key=SETS.index) if usable else wanted
    digest = digest_of(chosen)
    if usable and stamp.get("digest") == digest:
        return
    started = time.monotonic()
    check_machine()
    STAMP.unlink(missing_ok=True)
    if not usable:
        say(f"making the environment in {VENV.relative_to(ROOT)} (once)")
        run([sys.executable, "-m", "venv", "--clear", str(VENV)], total=0)
    lock = ROOT / "requirements" / f"{chosen}.txt"
    total = len(re.findall(r"(?m)^[A-Za-z0-9]", lock.read_text()))
    say(f"installing {total} locked packages")
    run([*installer(), "--require-hashes", "-r", str(lock)], total=total)
    members = members_of(chosen)
    say(f"linking {len(members)} members")
    editables = [part for member in members for part in ("-e", str(member))]
    run([*installer(), "--no-deps", "--no-build-isolation", *editables], total=0)
    STAMP.write_text(json.dumps({"set": chosen, "root": str(ROOT), "digest": digest}) + "\n")
    say(f"environment ready after {time.monotonic() - started:.0f} s")


def members_of(chosen: str) -> list[Path]:
    found = [
        path.parent
        for group in ("packages", "services")
        for path in sorted((ROOT / group).glob("*/pyproject.toml"))
    ]
    return [path for path in found if chosen != "run" or path.name not in TEST_MEMBERS]


def digest_of(chosen: str) -> str:
    """Hash all that an installation depends on, so that it is repeated only when that changes."""
    hashed = hashlib.sha256((ROOT / "requirements" / f"{chosen}.txt").read_bytes())
    for member in members_of(chosen):
        hashed.update((member / "pyproject.toml").read_bytes())
    return hashed.hexdigest()


def read_stamp() -> dict[str, str]:
    try:
        stamp = json.loads(STAMP.read_text())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return {}
    return stamp if isinstance(stamp, dict) and stamp.get("set") in SETS else {}


def is_working() -> bool:
    """Tell whether the environment still starts after an upgrade of Python or a move."""
    if not PYTHON.exists():
        return False
    command = [
        str(PYTHON),
        "-c",
        "import importlib.util as u, sys; sys.exit(not u.find_spec('pip'))",
    ]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def check_machine() -> None:
    if not PYTHON.exists() and not importlib.util.find_spec("ensurepip"):
        stop("Python's venv module is incomplete (no ensurepip). On Debian: install python3-venv.")
    if not os.access(ROOT, os.W_OK):
        stop(f"The folder {ROOT} cannot be written. Clone into a folder that is yours.")
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        stop(f"The disk is nearly full: {free // 10**6} MB free, {NEEDED_BYTES // 10**6} needed.")


def installer() -> list[str]:
    """Prefer uv when it is there; pip does the same more slowly."""
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", str(PYTHON)]
    quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    return [str(PYTHON), "-m", "pip", "install", "--no-warn-script-location", *quiet]


def run(command: list[str], *, total: int) -> None:
    """Run one step: all its output into the log, a short line now and then to the terminal."""
    VENV.mkdir(exist_ok=True)
    process = subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=pump, args=(process.stdout, lines), daemon=True).start()
    output = follow(lines, total=total)
    code = process.wait()
    with LOG.open("a") as log:
        log.writelines([f"$ {' '.join(command)}\n", *output])
    if code != 0:
        fail("".join(output))


def pump(stream: TextIO, lines: "queue.Queue[str | None]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def follow(lines: "queue.Queue[str | None]", *, total: int) -> list[str]:
    output: list[str] = []
    collected, started, spoken = 0, time.monotonic(), time.monotonic()
    while True:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=SILENCE_SECONDS)
            if line is None:
                return output
            output.append(line)
            collected += line.startswith("Collecting ")
            if line.startswith("Installing collected packages"):
                say("  unpacking")
                spoken = time.monotonic()
        if time.monotonic() - spoken >= SILENCE_SECONDS:
            reached = f"{min(collected, total)} of {total} packages, " if total else ""
            say(f"  {reached}{time.monotonic() - started:.0f} s")
            spoken = time.monotonic()


def fail(output: str) -> NoReturn:
    reason = next((sentence for sign, sentence in REASONS if sign in output), None)
    tail = "".join(output.splitlines(keepends=True)[-8:])
    stop(f"{tail}\n{reason or 'The environment could not be made.'} Full log: {LOG}")


def sentence_for(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "The disk is full. Free some space and run it again."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"The folder {ROOT} cannot be written. Clone into a folder that is yours."
    return f"The environment could not be made: {error}"


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Let one `make` at a time install; a second waits and then finds all done."""
    with (ROOT / "requirements" / "run.txt").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(line: str) -> None:
    print(f"setup: {line}", flush=True)


def stop(sentence: str) -> NoReturn:
    sys.exit(f"setup: {sentence}")


if __name__ == "__main__":
    main()
