import subprocess
import sys
from pathlib import Path

from darkroom.upload.store.spool import open_spool_directory

# Holds a folder as a process does, says so, and waits to be killed.
HOLDER = """
import sys, time
from pathlib import Path
from darkroom.upload.store.spool import open_spool_directory
with open_spool_directory(
    Path(sys.argv[1]), most_under_way=1, most_per_account=1, reserve_bytes=0
) as spools:
    (spools.folder / "half-written").write_bytes(b"x")
    print("held", flush=True)
    sys.stdin.read()
"""


def test_leftovers_of_a_killed_process_are_removed_and_a_living_one_is_left_alone(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as dead,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living,
    ):
        held = [process.stdout.readline() for process in (dead, living) if process.stdout]
        before = set(tmp_path.iterdir())
        dead.kill()
        dead.wait()
        with open_spool_directory(
            tmp_path, most_under_way=1, most_per_account=1, reserve_bytes=0
        ) as spools:
            after = set(tmp_path.iterdir()) - {spools.folder}
        living.kill()
    assert held == [b"held\n", b"held\n"]
    assert (len(before), len(after)) == (2, 1)
