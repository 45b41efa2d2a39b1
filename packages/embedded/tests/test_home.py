import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.embedded import home as module
from darkroom.embedded.errors import StartError
from darkroom.embedded.home import Home, sentence_for


def test_nobody_else_may_look_into_the_home(home: Home) -> None:
    home.secret("a")
    for path in (home.path, home / "secrets", home / "secrets" / "a"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_a_secret_stays_the_same(home: Home) -> None:
    assert home.secret("a") == Home(home.path).secret("a") != home.secret("b")


def test_a_second_holder_is_refused_and_told_who_holds(home: Home) -> None:
    source = (
        "import sys; from pathlib import Path; from darkroom.embedded.home import Home;"
        "from darkroom.embedded.errors import StartError\n"
        "try:\n with Home(Path(sys.argv[1])).locked(): print('held')\n"
        "except StartError as error: print(error)"
    )
    command = [sys.executable, "-c", source, str(home.path)]
    with home.locked():
        refused = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    allowed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"already runs on {home.path} (process {os.getpid()})" in refused
    assert allowed == "held\n"


def test_too_little_space_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NEEDED_BYTES", 10**18)
    with pytest.raises(StartError, match="MB left"):
        Home(tmp_path / "home").prepare()


def test_a_home_below_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot be used: Not a directory"):
        Home(tmp_path / "file" / "home").prepare()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "is full"),
        (errno.EACCES, "cannot be written"),
        (errno.EROFS, "cannot be written"),
        (errno.EIO, "cannot be used"),
    ],
)
def test_what_the_disk_says_becomes_a_sentence(number: int, sentence: str) -> None:
    error = OSError(number, os.strerror(number))
    assert sentence in str(sentence_for(error, Path("/some/home")))
