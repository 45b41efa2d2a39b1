"""A child's output, kept in a file of bounded size, with its last lines at hand."""

from collections import deque
from pathlib import Path
from typing import BinaryIO, Final

# Two files of this size are kept for each child: a few hours of JSON lines under load.
MAX_BYTES: Final = 5_000_000
# What fits a screen when a child cannot start.
REMEMBERED_LINES: Final = 12
_LINE_SHOWN: Final = 300


class ChildLog:
    """Append a child's output to `path`; past `max_bytes` the file moves to `path.1`.

    A full disk costs lines of the log, never the child: what cannot be written is dropped.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._size = path.stat().st_size if path.exists() else 0
        self._file: BinaryIO | None = None
        self._recent: deque[bytes] = deque(maxlen=REMEMBERED_LINES)

    def write(self, line: bytes) -> None:
        """Append one line."""
        self._recent.append(line)
        try:
            self._append(line)
        except OSError:
            self.close()

    def last_lines(self) -> tuple[str, ...]:
        """Return the last lines written, shortened to what a console shows."""
        lines = (line.decode(errors="replace").strip() for line in self._recent)
        return tuple(line[:_LINE_SHOWN] for line in lines if line)

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, line: bytes) -> None:
        if self._file is not None and self._size + len(line) > self._max_bytes:
            self.close()
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            self._size = 0
        if self._file is None:
            # Unbuffered: whoever reads the log sees the child's last word.
            self._file = self._path.open("ab", buffering=0)
        self._file.write(line)
        self._size += len(line)
