import asyncio
from collections.abc import Callable

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.jobs import JobRequestedV1, Lane
from darkroom.platform.messaging.consumer import Delivery, Subscription, Worker
from darkroom.platform.messaging.jetstream import JetStream

Job = Callable[[], JobRequestedV1]
BULK = f"{JobRequestedV1.subject}.{Lane.BULK}"


async def test_draining_worker_finishes_what_runs(bus: JetStream, job: Job) -> None:
    started, finished = asyncio.Event(), asyncio.Event()

    async def handle(_event: JobRequestedV1, _delivery: Delivery) -> None:
        started.set()
        await asyncio.sleep(0.2)
        finished.set()

    stop = asyncio.Event()
    lane = Subscription(JobRequestedV1, handle, "processor-bulk", subject=BULK)
    run = asyncio.create_task(Worker(bus, [lane]).run(stop))
    await bus.publish(job())
    await started.wait()
    await bus.publish(job())
    stop.set()
    await run
    assert finished.is_set()
    consumer = await bus.connection.js.consumer_info("JOBS", "processor-bulk")
    assert (consumer.num_pending, consumer.num_ack_pending) == (1, 0)


async def test_draining_worker_hands_back_what_does_not_end(bus: JetStream, job: Job) -> None:
    numbers: list[int] = []
    taken = asyncio.Event()

    async def hang(_event: JobRequestedV1, delivery: Delivery) -> None:
        numbers.append(delivery.number)
        taken.set()
        await asyncio.Event().wait()

    async def handle(_event: JobRequestedV1, delivery: Delivery) -> None:
        numbers.append(delivery.number)
        taken.set()

    await bus.publish(job())
    for handler in (hang, handle):
        taken.clear()
        stop = asyncio.Event()
        lane = Subscription(JobRequestedV1, handler, "processor-bulk", subject=BULK)
        run = asyncio.create_task(Worker(bus, [lane], drain_seconds=0.1).run(stop))
        async with asyncio.timeout(3):
            await taken.wait()
        stop.set()
        async with asyncio.timeout(1):
            await run
    # Far sooner than the thirty seconds after which the broker would have noticed by itself.
    assert numbers == [1, 2]


async def test_idle_worker_stops_at_once_and_leaves_no_task(bus: JetStream) -> None:
    async def handle(_event: KeyRevokedV1, _delivery: Delivery) -> None:
        return

    before = asyncio.all_tasks()
    stop = asyncio.Event()
    run = asyncio.create_task(
        Worker(bus, [Subscription(KeyRevokedV1, handle, "tests", concurrency=3)]).run(stop)
    )
    await asyncio.sleep(0.2)
    stop.set()
    async with asyncio.timeout(0.5):
        await run
    assert asyncio.all_tasks() == before
