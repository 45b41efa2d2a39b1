# One upload is one trace: a collector of our own receives what the processes export.
import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from darkroom.testing import pictures
from darkroom.testing.stack import Partr, free_port, start_stack, stop_stack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(240)]

EXPORT_SECONDS = 10


@dataclass
class Collector:
    """Spans by trace, each with its service and parent."""

    spans: dict[bytes, list[tuple[str, bytes, bytes]]] = field(default_factory=dict)

    async def receive(self, request: web.Request) -> web.Response:
        export = ExportTraceServiceRequest.FromString(await request.read())
        for resource in export.resource_spans:
            names = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    row = (names["service.name"], span.span_id, span.parent_span_id)
                    self.spans.setdefault(span.trace_id, []).append(row)
        return web.Response()

    def edges(self, trace_id: bytes) -> set[tuple[str, str]]:
        rows = self.spans.get(trace_id, [])
        service = {span_id: name for name, span_id, _ in rows}
        pairs = {(service[parent], name) for name, _, parent in rows if parent in service}
        return {(one, other) for one, other in pairs if one != other}


@pytest.fixture
async def collector() -> AsyncIterator[tuple[Collector, str]]:
    gathered = Collector()
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/traces", gathered.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", free_port())
    await site.start()
    yield gathered, site.name
    await runner.cleanup()


async def test_log_05_one_upload_is_one_trace_from_gateway_to_ready(
    collector: tuple[Collector, str],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gathered, endpoint = collector
    for service in ("GATEWAY", "UPLOAD", "CATALOG", "PROCESSOR"):
        monkeypatch.setenv(f"{service}_TELEMETRY__OTLP_ENDPOINT", endpoint)
    home = tmp_path_factory.mktemp("traced") / "home"
    stack = await asyncio.to_thread(start_stack, home, free_port())
    try:
        trace_id = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
        async with aiohttp.ClientSession() as http:
            partr = Partr(http, stack.base_url, stack.key)
            partr.headers["traceparent"] = f"00-{trace_id.hex()}-b7ad6b7169203331-01"
            await partr.develop(pictures.jpeg(64, 64))
        wanted = {
            ("darkroom-gateway", "darkroom-upload"),
            ("darkroom-upload", "darkroom-catalog"),
            ("darkroom-catalog", "darkroom-processor"),
            ("darkroom-processor", "darkroom-catalog"),
        }
        for _ in range(EXPORT_SECONDS * 10):
            if wanted <= gathered.edges(trace_id):
                break
            await asyncio.sleep(0.1)
        assert wanted <= gathered.edges(trace_id)
    finally:
        await asyncio.to_thread(stop_stack, stack.process)
