import asyncio
import traceback
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from darkroom.platform.errors import Broken, Unavailable
from darkroom.platform.settings import S3Settings
from darkroom.platform.storage import s3
from darkroom.platform.storage.s3 import S3BlobStore, open_s3
from darkroom.testing.fixtures.web import AppServer
from darkroom.testing.own import OwnS3

JPEG = "image/jpeg"
Answer = tuple[int, bytes]
StoreFor = Callable[..., Any]


class ScriptedS3:
    """Answer each method from a list of answers, the last one for ever; remember the calls."""

    def __init__(self, **answers: Iterable[Answer]) -> None:
        self._answers = {method: list(given) for method, given in answers.items()}
        self.calls: list[str] = []
        self.received: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        method = scope["method"]
        self.calls.append(method)
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.received.append(body)
        answers = self._answers[method]
        status, content = answers.pop(0) if len(answers) > 1 else answers[0]
        size = content if method == "HEAD" else str(len(content)).encode()
        headers = [(b"content-length", size), (b"etag", b'"e"')]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else content})


@pytest.fixture
async def store_for(serve_app: AppServer) -> AsyncIterator[StoreFor]:
    opened: list[Any] = []

    async def make(script: ScriptedS3) -> S3BlobStore:
        endpoint = await serve_app(script, lifespan="off")
        context = open_s3(S3Settings(endpoint=endpoint, access_key="a", secret_key=SecretStr("s")))
        opened.append(context)
        store: S3BlobStore = await context.__aenter__()
        return store

    yield make
    for context in opened:
        await context.__aexit__(None, None, None)


def error(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()


async def test_a_put_outlives_two_failures(store_for: StoreFor) -> None:
    script = ScriptedS3(PUT=[(503, error("SlowDown")), (500, b""), (200, b"")])
    stored = await (await store_for(script)).put("a", b"body", media_type=JPEG)
    assert (stored.size_bytes, stored.etag) == (4, "e")
    assert script.calls == ["PUT"] * 3


async def test_a_put_gives_up_after_three_tries_and_a_look(store_for: StoreFor) -> None:
    script = ScriptedS3(PUT=[(503, b"")], HEAD=[(404, b"0")])
    with pytest.raises(Unavailable):
        await (await store_for(script)).put("a", b"body", media_type=JPEG)
    assert script.calls == ["PUT"] * 3 + ["HEAD"]


async def test_head_decides_about_a_put_nobody_answered(store_for: StoreFor) -> None:
    script = ScriptedS3(PUT=[(500, b"")], HEAD=[(200, b"4")])
    stored = await (await store_for(script)).put("a", b"body", media_type=JPEG)
    assert stored.size_bytes == 4


async def test_a_copy_that_fails_under_a_200_is_tried_again(store_for: StoreFor) -> None:
    done = b"<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"
    script = ScriptedS3(PUT=[(200, error("InternalError")), (200, done)])
    await (await store_for(script)).copy("a", "b")
    assert script.calls == ["PUT", "PUT"]


async def test_a_wrong_key_pair_is_an_outage_and_never_the_objects_fault(
    store_for: StoreFor,
) -> None:
    script = ScriptedS3(GET=[(403, error("InvalidAccessKeyId"))])
    with pytest.raises(Unavailable):
        async with (await store_for(script)).open("a"):
            pass


async def test_a_refused_request_is_our_fault_and_not_repeated(store_for: StoreFor) -> None:
    script = ScriptedS3(PUT=[(400, error("InvalidArgument"))])
    with pytest.raises(Broken):
        await (await store_for(script)).put("a//b", b"", media_type=JPEG)
    assert script.calls == ["PUT"]


async def test_a_restart_of_the_store_is_not_noticed(s3_server: OwnS3, tmp_path: Path) -> None:
    async with open_s3(s3_server.settings) as store:
        await store.put("originals/a", b"kept", media_type=JPEG)
        await s3_server.restart()
        await store.fetch_to("originals/a", tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == b"kept"
        await s3_server.restart()
        await store.put("originals/b", b"stored", media_type=JPEG)
        assert [blob.key async for blob in store.list("")] == ["originals/a", "originals/b"]


async def test_a_store_that_is_away_is_said_to_be_within_seconds(s3_server: OwnS3) -> None:
    async with open_s3(s3_server.settings) as store:
        await store.put("originals/a", b"kept", media_type=JPEG)
        await s3_server.kill()
        for call in (
            store.check(),
            store.put("originals/b", b"", media_type=JPEG),
            store.head("originals/a"),
            store.delete("originals/a"),
            store.copy("originals/a", "originals/b"),
            store.fetch_to("originals/a", Path("/dev/null")),
        ):
            async with asyncio.timeout(5):
                with pytest.raises(Unavailable):
                    await call


async def test_a_store_that_hangs_does_not_hold_its_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s3, "_OPEN_SECONDS", 0.2)
    callers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(
        lambda _reader, writer: callers.append(writer), "127.0.0.1", 0
    )
    host, port = silent.sockets[0].getsockname()
    settings = S3Settings(
        endpoint=f"http://{host}:{port}", access_key="testing", secret_key=SecretStr("testing")
    )
    async with silent, open_s3(settings) as store, asyncio.timeout(3):
        with pytest.raises(Unavailable):
            async with store.open("a"):
                pass
        for caller in callers:
            caller.close()


async def test_a_kill_in_mid_put_leaves_nothing_or_all(s3_server: OwnS3) -> None:
    body = bytes(40_000_000)
    async with open_s3(s3_server.settings) as store:
        await store.check()
        putting = asyncio.create_task(store.put("originals/a", body, media_type=JPEG))
        await asyncio.sleep(0.03)
        await s3_server.restart()
        stored = await putting
        assert stored.size_bytes == len(body)
        files = await asyncio.to_thread(lambda: list(s3_server.directory.rglob("*")))
        assert [file.name for file in files if file.is_file()] == ["a"]
        assert [blob.key async for blob in store.list("")] == ["originals/a"]


async def test_a_client_that_vanishes_in_mid_put_leaves_nothing(s3_server: OwnS3) -> None:
    async with open_s3(s3_server.settings) as store:
        await store.check()
        putting = asyncio.create_task(store.put("originals/a", bytes(200_000_000), media_type=JPEG))
        await asyncio.sleep(0.05)
        putting.cancel()
        await asyncio.wait([putting])
        assert putting.cancelled()
        assert await store.head("originals/a") is None
        assert [blob async for blob in store.list("")] == []


async def test_a_wiped_store_gets_its_bucket_back(s3_server: OwnS3) -> None:
    async with open_s3(s3_server.settings) as store:
        await store.put("originals/a", b"lost", media_type=JPEG)
        await s3_server.wipe()
        assert await store.head("originals/a") is None
        assert [blob.key async for blob in store.list("")] == []
        await store.put("originals/b", b"stored", media_type=JPEG)
        assert await store.head("originals/b") is not None


async def test_an_open_file_is_sent_whole_in_every_try(store_for: StoreFor, tmp_path: Path) -> None:
    script = ScriptedS3(PUT=[(503, b""), (500, b""), (200, b"")])
    store = await store_for(script)
    path = tmp_path / "body"
    path.write_bytes(bytes(range(256)) * 3_000)
    with path.open("rb") as file:
        file.seek(100)
        path.unlink()
        stored = await store.put("a", file, media_type=JPEG)
    assert stored.size_bytes == 768_000
    assert script.received == [bytes(range(256)) * 3_000] * 3


async def test_an_outage_tells_nothing_of_the_signed_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/9.9 nonsense\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    settings = S3Settings(
        endpoint=f"http://127.0.0.1:{port}", access_key="the-key", secret_key=SecretStr("s")
    )
    async with server, open_s3(settings) as store:
        with pytest.raises(Unavailable) as raised:
            await store.check()
    told = f"{raised.value.context} {caplog.text}" + "".join(
        traceback.format_exception(raised.value)
    )
    assert "ClientResponseError" in told
    for secret in ("Signature", "AWS4", "the-key"):
        assert secret not in told
