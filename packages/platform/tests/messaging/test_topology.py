from collections.abc import Callable

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.jobs import JobRequestedV1
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.topology import EVENTS, JOBS, ensure_topology, stream_of

DAY = 86_400


async def test_streams_are_those_of_the_architecture(bus: JetStream) -> None:
    jobs = (await bus.connection.js.stream_info("JOBS")).config
    events = (await bus.connection.js.stream_info("EVENTS")).config
    dead = (await bus.connection.js.stream_info("DLQ")).config
    assert jobs.subjects == ["darkroom.jobs.requested.v1.*"]
    assert (jobs.retention, jobs.discard) == (RetentionPolicy.WORK_QUEUE, DiscardPolicy.NEW)
    assert (events.retention, events.max_age) == (RetentionPolicy.LIMITS, 7 * DAY)
    assert (dead.retention, dead.max_age) == (RetentionPolicy.LIMITS, 30 * DAY)
    assert {jobs.storage, events.storage, dead.storage} == {StorageType.FILE}
    assert jobs.num_replicas == events.num_replicas == dead.num_replicas == 1


async def test_ensuring_again_keeps_what_an_operator_set(bus: JetStream) -> None:
    config = (await bus.connection.js.stream_info("EVENTS")).config
    await bus.connection.js.update_stream(config, max_age=3 * DAY)
    await ensure_topology(bus.connection.js)
    assert (await bus.connection.js.stream_info("EVENTS")).config.max_age == 3 * DAY


def test_an_event_belongs_to_one_stream(
    fact: Callable[[], KeyRevokedV1], job: Callable[[], JobRequestedV1]
) -> None:
    assert stream_of(fact().route) == EVENTS
    assert stream_of(job().route) == JOBS
