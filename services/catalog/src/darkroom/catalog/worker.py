"""The roles a catalog process may have beside answering requests."""

from collections.abc import Mapping
from functools import partial

from darkroom.catalog.events import DURABLES, subscriptions
from darkroom.catalog.operations.sweep import Sweeper
from darkroom.catalog.settings import CatalogSettings, Role
from darkroom.catalog.wiring import Resources
from darkroom.platform.messaging.consumer import Worker
from darkroom.platform.messaging.outbox import Relay
from darkroom.platform.runtime import Role as BackgroundRole


def background_roles(
    resources: Resources, settings: CatalogSettings, roles: frozenset[Role]
) -> Mapping[str, BackgroundRole]:
    chosen: dict[str, BackgroundRole] = {}
    if Role.RELAY in roles:
        chosen["relay"] = Relay(resources.engine, resources.bus).run
    if Role.WORK in roles:
        chosen["work"] = _worker(resources, settings).run
    if Role.SWEEP in roles:
        chosen |= _sweep(resources, settings)
    return chosen


def _worker(resources: Resources, settings: CatalogSettings) -> Worker:
    return Worker(
        resources.bus, subscriptions(resources.sessions, concurrency=settings.work_concurrency)
    )


def _sweep(resources: Resources, settings: CatalogSettings) -> Mapping[str, BackgroundRole]:
    sweeper = Sweeper(
        resources.engine,
        resources.sessions,
        resources.bus,
        resources.blobs,
        resources.latest_report,
        results={durable: kind.subject for kind, durable in DURABLES.items()},
    )
    return {
        "sweep": partial(sweeper.remedy_forever, every_seconds=settings.sweep_interval_seconds),
        "tidy": partial(sweeper.tidy_forever, every_seconds=settings.tidy_interval_seconds),
    }
