"""What can keep the platform from starting, each in one sentence for the person at the console."""


class StartError(Exception):
    """Say why the platform cannot start; the sentence is shown as it is, without a traceback."""


class WheelMissing(StartError):
    """Say which wheel brings nothing usable on this platform."""


class ProgramFailed(StartError):
    """Say which program ended or stayed silent, with the last lines it wrote."""

    def __init__(self, name: str, reason: str, last_lines: tuple[str, ...] = ()) -> None:
        self.name = name
        self.reason = reason
        self.last_lines = last_lines
        said = "".join(f"\n    {line}" for line in last_lines)
        super().__init__(f"{name} {reason}{'; it said last:' if said else '.'}{said}")
