from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from darkroom.contracts.ids import Prefix, encode_id, new_id
from darkroom.platform.settings import NatsSettings, S3Settings


@pytest.fixture
def catalog_environment(
    s3_settings: S3Settings, nats_settings: NatsSettings, passport_keys_url: str, tmp_path: Path
) -> dict[str, str]:
    nats_password = nats_settings.password
    return {
        "CATALOG_NATS__SERVERS": nats_settings.servers,
        "CATALOG_NATS__USER": nats_settings.user or "",
        "CATALOG_NATS__PASSWORD": nats_password.get_secret_value() if nats_password else "",
        "CATALOG_S3__ENDPOINT": s3_settings.endpoint,
        "CATALOG_S3__REGION": s3_settings.region,
        "CATALOG_S3__BUCKET": s3_settings.bucket,
        "CATALOG_S3__ACCESS_KEY": s3_settings.access_key,
        "CATALOG_S3__SECRET_KEY": s3_settings.secret_key.get_secret_value(),
        "CATALOG_PASSPORT__KEYS_URL": passport_keys_url,
        "CATALOG_CAPABILITY_KEY_FILE": str(tmp_path / "capability"),
    }


async def test_the_real_catalog_registers_what_was_uploaded(
    database: Any,
    run_service: Any,
    client_for: Any,
    catalog_environment: dict[str, str],
    http: Any,
    pictures: ModuleType,
) -> None:
    dsn = {"CATALOG_POSTGRES__DSN": await database("catalog")}
    _, catalog_url = await run_service("catalog", catalog_environment | dsn)
    client = await client_for(catalog_url=catalog_url)
    headers = client.passport_for(new_id())
    first = await client.send(pictures.jpeg(60, 40), headers=headers, title="At the sea")
    again = await client.send(
        pictures.png(), headers=headers, album_id=first.body["album_id"], tags="a,b"
    )
    unknown = encode_id(Prefix.ALBUM, new_id())
    foreign = await client.send(pictures.jpeg(), album_id=first.body["album_id"])
    missing = await client.send(pictures.jpeg(), headers=headers, album_id=unknown)
    assert [reply.status for reply in (first, again, foreign, missing)] == [201, 201, 404, 404]
    assert first.body["album_id"] == again.body["album_id"]
    path = f"/api/v1/images/{first.body['image_id']}"
    async with http.get(catalog_url + path, headers=headers) as reply:
        image = await reply.json()
    assert (image["status"], image["original_filename"]) == ("queued", "a.jpg")
    assert image["original_url"] == first.body["original_url"]
    assert image["created_at"] == first.body["created_at"]
