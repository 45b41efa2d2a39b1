"""Where the wheels put the servers' programs."""

import platform
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from darkroom.embedded.errors import WheelMissing


def find_program(wheel: str, name: str, *, folder: str = "bin") -> Path:
    """Return the path of a program a wheel brought; raises WheelMissing when it did not."""
    try:
        files = distribution(wheel).files or []
    except PackageNotFoundError as error:
        raise _missing(wheel, name) from error
    for file in files:
        if file.name == name and file.as_posix().endswith(f"{folder}/{name}"):
            path = Path(str(file.locate())).resolve()
            if path.is_file():
                return path
    raise _missing(wheel, name)


def _missing(wheel: str, name: str) -> WheelMissing:
    where = f"{platform.system()} {platform.machine()}"
    return WheelMissing(
        f"The wheel {wheel} brings no {name} for {where}: install the requirements again "
        f"(make setup), on a platform the wheel is published for."
    )
