"""What the processor listens to: requested jobs, lane by lane."""

from collections.abc import Collection
from functools import partial
from typing import Any

from darkroom.contracts.jobs import JobRequestedV1, Lane
from darkroom.platform.messaging.consumer import Delivery, Subscription
from darkroom.processor.operations import Ports, develop_image


def subscriptions(
    lanes: Collection[Lane], *, slots: int, ports: Ports
) -> tuple[Subscription[Any], ...]:
    """Take as many jobs of each lane at once as it has children; none waits here for a child."""
    return tuple(
        Subscription(
            JobRequestedV1,
            partial(on_job_requested, ports=ports),
            durable=f"processor-{lane}",
            concurrency=slots,
            subject=f"{JobRequestedV1.subject}.{lane}",
        )
        for lane in lanes
    )


async def on_job_requested(event: JobRequestedV1, delivery: Delivery, *, ports: Ports) -> None:
    await develop_image(event, delivery=delivery.number, ports=ports)
