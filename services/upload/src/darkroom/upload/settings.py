"""What an operator may set for the upload service."""

from pathlib import Path

from pydantic import PositiveFloat, PositiveInt
from pydantic_settings import SettingsConfigDict

from darkroom.platform.settings import PassportSettings, S3Settings, ServiceSettings


class UploadSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="UPLOAD_")

    s3: S3Settings
    passport: PassportSettings
    catalog_url: str
    spool_dir: Path
    # Each holds at most 1 MB of memory and one file in the spool.
    max_under_way: PositiveInt = 64
    # A quarter, so that one account's slow uploads leave room for others'; on a fast line 16 at a
    # time are as quick as 64.
    max_under_way_per_account: PositiveInt = 16
    # Left free on the spool's disk, for whatever else lives there.
    spool_reserve_bytes: int = 256_000_000
    # How long an upload waits for a catalog that restarts, once its bytes are stored.
    register_deadline_seconds: PositiveFloat = 8.0
