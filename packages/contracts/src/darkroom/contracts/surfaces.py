"""The words that place a request: which documented API, which stage, which status it may show."""

from enum import StrEnum


class Surface(StrEnum):
    """Name one of the documented APIs, or the platform's own paths."""

    PARTR = "partr"
    PICHR = "pichr"
    IMG = "img"
    IMAGEPRO = "imagepro"
    PLATFORM = "platform"


class Stage(StrEnum):
    """Separate real use from trial use; a `test_` key always works in the test stage."""

    LIVE = "live"
    TEST = "test"
