"""What a child gives up before it sees a file: limits, credentials, network, other files.

Runs in the child only. What the kernel does not permit is skipped and reported, because a
development machine without namespaces must still work; limits on memory and time always hold.
"""

import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from darkroom.processor.engines import kernel

# Room for the largest picture the budget lets in. The hungriest measured is a 63 MP AVIF:
# 1.8 GB resident, 2.3 GB of addresses, most of it the encoder's.
ADDRESS_SPACE_BYTES: Final = 2_400_000_000
# No rendition of a picture within budget comes near; a file that grows past it is an accident.
FILE_BYTES: Final = 600_000_000
OPEN_FILES: Final = 64
# The kernel takes the child first when memory ends, and not the parent or a database.
OOM_SCORE: Final = 1_000
# What a decoder may find in its environment. One thread: one job is one core.
_ENVIRONMENT: Final = {
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Pillow keeps 128 MB of picture memory between jobs: fetching it page by page from the
    # kernel for each picture costs a tenth of the time to decode one.
    "PILLOW_BLOCKS_MAX": "8",
}

# Paths an operator may have set, which libraries look up late; no secret is ever among them.
_PATHS: Final = frozenset({"TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"})


@dataclass(frozen=True, slots=True)
class Confinement:
    """Where a child may write, and how many processor seconds one task may take."""

    scratch: Path
    cpu_seconds: int


def child_environment() -> dict[str, str]:
    """Return the whole environment a child starts with: no credential is ever in it."""
    return {"PATH": os.defpath, **_ENVIRONMENT}


def forget_credentials() -> None:
    """Empty the environment of the processor itself, for good, once its settings are read.

    The fork server inherits it, also when it has died and is started again behind our back: what
    its parent does not have cannot leak into a child.
    """
    environment = os.environ  # noqa: TID251 - emptied, not read
    kept = {name: environment[name] for name in _PATHS & environment.keys()}
    environment.clear()
    environment.update(child_environment() | kept)


def confine(confinement: Confinement) -> None:
    """Give everything up, for good; called once, first thing in a child."""
    # The default action ends a child even in the middle of a decoder's loop, where a Python
    # handler would never run.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.clear()  # noqa: TID251 - emptied, not read
    os.environ.update(child_environment())  # noqa: TID251 - the child's own, from constants
    _limit_resources()
    for name, measure in _measures(confinement):
        try:
            measure()
        except OSError as error:
            _MISSING[name] = str(error)
    if "calls" in _MISSING:
        # Second best, for it bars the thread of HEIC's decoder as well.
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def missing_measures() -> dict[str, str]:
    """Return what the kernel did not permit in this process, with its reason."""
    return dict(_MISSING)


def renew_cpu_limit(seconds: int) -> None:
    """Allow the next task so many processor seconds from here; then the kernel ends the child."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


_MISSING: Final[dict[str, str]] = {}


def _limit_resources() -> None:
    for kind, value in (
        (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


def _measures(confinement: Confinement) -> tuple[tuple[str, Callable[[], None]], ...]:
    """List the kernel's measures, in an order in which none stands in the way of the next."""
    return (
        ("parent", kernel.end_with_parent),
        ("oom_score", _prefer_as_victim),
        ("network", kernel.leave_network),
        ("files", lambda: kernel.restrict_files(writable=confinement.scratch)),
        ("calls", kernel.refuse_calls),
    )


def _prefer_as_victim() -> None:
    Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")
