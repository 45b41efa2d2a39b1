from pathlib import Path

from darkroom.embedded.logs import ChildLog


def test_a_full_log_moves_aside_and_two_files_are_the_most(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "child.log", max_bytes=100)
    for number in range(100):
        log.write(b"line %02d\n" % number)
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["child.log", "child.log.1"]
    assert all(file.stat().st_size <= 100 for file in files)
    assert files[0].read_text().endswith("line 99\n")


def test_an_earlier_log_counts_towards_the_size(tmp_path: Path) -> None:
    (tmp_path / "child.log").write_bytes(bytes(99))
    log = ChildLog(tmp_path / "child.log", max_bytes=100)
    log.write(b"first\n")
    log.write(b"second\n")
    log.close()
    assert (tmp_path / "child.log").read_text() == "second\n"


def test_a_full_disk_costs_lines_and_nothing_else() -> None:
    log = ChildLog(Path("/dev/full"))
    log.write(b"lost on disk\n")
    assert log.last_lines() == ("lost on disk",)
