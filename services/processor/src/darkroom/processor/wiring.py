"""What a processor holds open: broker, store, scratch space, children."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from darkroom.platform.messaging.jetstream import JetStream, open_jetstream
from darkroom.platform.storage.s3 import open_s3
from darkroom.processor import pipeline
from darkroom.processor.engines.confinement import Confinement
from darkroom.processor.engines.sandbox import Sandbox, open_sandbox
from darkroom.processor.engines.scratch import open_scratch
from darkroom.processor.operations import Ports
from darkroom.processor.settings import ProcessorSettings


@dataclass(frozen=True, slots=True)
class Resources:
    bus: JetStream
    sandbox: Sandbox
    ports: Ports


@asynccontextmanager
async def open_resources(settings: ProcessorSettings, *, lanes: int) -> AsyncIterator[Resources]:
    with open_scratch(settings.scratch_dir) as scratch:
        confinement = Confinement(scratch.root, settings.cpu_seconds)
        async with (
            open_sandbox(
                confinement,
                slots=settings.slots * lanes,
                wall_seconds=settings.wall_seconds,
                preload=pipeline.__name__,
                preparation=pipeline.prepare,
            ) as sandbox,
            open_s3(settings.s3) as blobs,
            open_jetstream(settings.nats, name="processor") as bus,
        ):
            yield Resources(bus, sandbox, Ports(blobs, bus, sandbox, scratch))
