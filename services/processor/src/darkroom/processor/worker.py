"""The role `work`: take jobs until told to stop, then finish what runs."""

import asyncio
from collections.abc import Collection

from darkroom.contracts.jobs import Lane
from darkroom.platform.messaging.consumer import Worker
from darkroom.processor.events import subscriptions
from darkroom.processor.settings import ProcessorSettings
from darkroom.processor.wiring import Resources


async def work(
    stop: asyncio.Event,
    *,
    settings: ProcessorSettings,
    lanes: Collection[Lane],
    resources: Resources,
) -> None:
    listened = subscriptions(lanes, slots=settings.slots, ports=resources.ports)
    await Worker(resources.bus, listened).run(stop)
