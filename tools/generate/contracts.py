"""Every event and every error, found by importing the members whole."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from darkroom.contracts.event import Event
from darkroom.platform.errors import ServiceError


def events() -> dict[str, type[Event]]:
    """Return the events of the contracts package by subject, leaving out any a test made."""
    load("darkroom.contracts")
    return {
        subject: kind
        for subject, kind in sorted(Event.registry.items())
        if kind.__module__.startswith("darkroom.contracts.")
    }


def errors(*packages: str) -> Iterator[type[ServiceError]]:
    """Yield every error class that a member defines, families first."""
    for package in packages:
        load(package)
    waiting: list[type[ServiceError]] = [ServiceError]
    while waiting:
        family = waiting.pop(0)
        if family.__module__.startswith("darkroom."):
            yield family
        waiting.extend(family.__subclasses__())


def load(package: str) -> ModuleType:
    """Import a package and all below it, but no entry, which would start it, and no migration."""
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"{package}."):
        if not found.name.endswith("__main__") and ".migrations" not in found.name:
            importlib.import_module(found.name)
    return module
