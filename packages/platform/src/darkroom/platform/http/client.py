"""Calls to neighbours: pooled, with a deadline, the request id and the trace."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar

import aiohttp
from opentelemetry import trace
from pydantic import BaseModel, ValidationError

from darkroom.contracts.claims import PASSPORT_HEADER
from darkroom.contracts.problems import FieldError, ProblemCode
from darkroom.platform.errors import BadReply, Broken, Rejected, TimedOut, Unavailable
from darkroom.platform.http.problems import FAMILY
from darkroom.platform.telemetry.propagation import inject
from darkroom.platform.telemetry.setup import tracer

# A neighbour on the same network accepts within a second or is not there.
CONNECT_TIMEOUT_SECONDS: Final = 1.0
# Shorter than the 75 s a service keeps an idle connection, so that none it has closed is reused.
KEEP_ALIVE_SECONDS: Final = 30.0

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class InternalReply:
    """Hold a neighbour's complete reply; internal replies are small."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the decoded body; raises BadReply when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise BadReply(status=self.status) from error

    def parse(self, model: type[Model]) -> Model:
        """Return the body as a model; raises BadReply when it is not one."""
        try:
            return model.model_validate_json(self.body)
        except ValidationError as error:
            raise BadReply(status=self.status) from error

    def raise_for_problem(self) -> None:
        """Raise a neighbour's refusal as the family it came from, with its code and sentence."""
        if self.status < HTTPStatus.BAD_REQUEST:
            return
        body = self.json()
        body = body if isinstance(body, dict) else {}
        fallback = Rejected if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else Broken
        family = FAMILY.get(self.status, fallback)
        raise family(
            body.get("message"),
            code=_known_code(body.get("code")),
            errors=_field_errors(body.get("details")),
        )


def _known_code(text: object) -> ProblemCode | None:
    return ProblemCode(text) if isinstance(text, str) and text in set(ProblemCode) else None


def _field_errors(details: object) -> tuple[FieldError, ...]:
    if not isinstance(details, dict):
        return ()
    return tuple(FieldError(field=str(k), message=str(v)) for k, v in details.items())


@dataclass(frozen=True, slots=True)
class InternalClient:
    """Call one neighbour by path; safe to share between tasks."""

    session: aiohttp.ClientSession
    base_url: str
    timeout_seconds: float

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        passport: str | None = None,
        timeout_seconds: float | None = None,
    ) -> InternalReply:
        """Send one request and return its reply, whatever its status.

        Raises Unavailable when the neighbour cannot be reached and TimedOut past the deadline;
        then the effect is unknown, so only idempotent calls may be repeated.
        """
        headers = _headers(passport)
        timeout = aiohttp.ClientTimeout(total=timeout_seconds or self.timeout_seconds)
        with tracer().start_as_current_span(f"{method} {path}", kind=trace.SpanKind.CLIENT):
            inject(headers)
            try:
                async with self.session.request(
                    method,
                    self.base_url + path,
                    data=_encode(body),
                    params=params,
                    headers=headers,
                    timeout=timeout,
                    allow_redirects=False,
                ) as reply:
                    return InternalReply(reply.status, await reply.read())
            except TimeoutError as error:
                raise TimedOut(neighbour=self.base_url, path=path) from error
            except aiohttp.ClientError as error:
                raise Unavailable(
                    neighbour=self.base_url, path=path, error=cause_of(error)
                ) from error

    async def check(self) -> None:
        """Raise Unavailable unless the neighbour is alive; for readiness."""
        reply = await self.call("GET", "/-/live")
        if reply.status != HTTPStatus.OK:
            raise Unavailable(neighbour=self.base_url, status=reply.status)


def cause_of(error: BaseException) -> str:
    """Name an error for the log: its class and number, none of its words.

    An HTTP client's errors carry the whole URL and every header of the request, and with them the
    capabilities and passports that are in there.
    """
    number = getattr(error, "errno", None)
    name = type(error).__name__
    return name if number is None else f"{name} [errno {number}]"


def _headers(passport: str | None) -> dict[str, str]:
    headers = {"content-type": "application/json", "accept": "application/json"}
    if passport is not None:
        headers[PASSPORT_HEADER] = passport
    return headers


def _encode(body: BaseModel | Mapping[str, Any] | None) -> bytes | None:
    if body is None:
        return None
    if isinstance(body, BaseModel):
        return body.model_dump_json().encode()
    return json.dumps(body).encode()


@asynccontextmanager
async def open_internal_client(
    base_url: str, *, timeout_seconds: float = 5.0
) -> AsyncIterator[InternalClient]:
    """Open a pooled client to one neighbour; connections are made when first needed."""
    connector = aiohttp.TCPConnector(limit=100, keepalive_timeout=KEEP_ALIVE_SECONDS)
    connect = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=CONNECT_TIMEOUT_SECONDS)
    # Proxy variables of the environment are for the outside world, not for neighbours.
    async with aiohttp.ClientSession(
        connector=connector, timeout=connect, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield InternalClient(session, base_url.rstrip("/"), timeout_seconds)
