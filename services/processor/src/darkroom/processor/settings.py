"""What an operator may set for a processor."""

import tempfile
from pathlib import Path

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic_settings import SettingsConfigDict

from darkroom.platform.settings import NatsSettings, S3Settings, ServiceSettings


class ProcessorSettings(ServiceSettings):
    """`slots` children work for each lane; `scratch_dir` is used where /dev/shm has no room."""

    model_config = SettingsConfigDict(env_prefix="PROCESSOR_")

    nats: NatsSettings = NatsSettings()
    s3: S3Settings
    scratch_dir: Path = Field(default_factory=lambda: Path(tempfile.gettempdir()))
    slots: PositiveInt = 1
    # The slowest still picture within budget, a 63 MP AVIF, takes six seconds of a core.
    cpu_seconds: PositiveInt = 10
    # For a decoder that sleeps: longer than the processor time takes on a busy machine.
    wall_seconds: PositiveFloat = 30.0
