"""What an operator may set, with the reason for each default."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, PositiveFloat, PositiveInt, field_validator
from pydantic.networks import IPvAnyNetwork
from pydantic_settings import NoDecode

from darkroom.platform.settings import Fragment, HTTPSettings, NatsSettings, ServiceSettings

_KB = 1_000
_MB = 1_000 * _KB


class UpstreamSettings(Fragment):
    """Where the services answer."""

    auth: str = "http://127.0.0.1:8801"
    upload: str = "http://127.0.0.1:8802"
    catalog: str = "http://127.0.0.1:8803"
    # A synchronous edit may take 55 s; whoever is silent longer has lost the request.
    reply_seconds: PositiveFloat = 60.0
    # On one network a connection stands within milliseconds or not at all.
    connect_seconds: PositiveFloat = 1.0
    # Bounds memory and the load a service can be given; well above what one core can forward.
    connections: PositiveInt = 256
    # Pictures have a pool of their own beside catalog's, so that slow readers hold up no call.
    media_connections: PositiveInt = 256
    # Outlives a burst; who waits longer for a connection to fall free is better told to come back.
    connection_wait_seconds: PositiveFloat = 2.0


class LimitSettings(Fragment):
    """How much and how slowly a client may send."""

    header_bytes: PositiveInt = 16 * _KB
    # 16 kB of tiny headers would still be thousands; nobody sends a hundred.
    header_count: PositiveInt = 128
    url_bytes: PositiveInt = 8 * _KB
    json_bytes: PositiveInt = 1 * _MB
    # The largest plan's file and what a form puts around it; upload holds each plan to its own.
    upload_bytes: PositiveInt = 501 * _MB
    head_seconds: PositiveFloat = 10.0
    body_bytes_per_second: PositiveInt = 10 * _KB
    body_grace_seconds: PositiveInt = 10
    # An upload is vouched for when it begins, and catalog takes that for an hour past its end: 55
    # minutes leave the rest to storing and registering. 501 MB in them are 152 kB/s.
    body_seconds: PositiveFloat = 3_300.0
    # A reply is read no slower than a body is sent. The kernel hands on hundreds of kilobytes at a
    # time, so that a shorter window would cut readers who are steady and only just fast enough.
    reply_bytes_per_second: PositiveInt = 10 * _KB
    reply_grace_seconds: PositiveInt = 30
    # A gallery's dozens of pictures come in turn over a browser's six connections. A quarter of
    # the pool, so that no few addresses can hold all of it.
    media_replies_per_address: PositiveInt = 64
    # Below the usual limit of 8,192 descriptors with one upstream connection for each.
    connections: PositiveInt = 4_000
    # A large office behind one address stays below; a flood from one machine does not.
    connections_per_address: PositiveInt = 512


class GatewaySettings(ServiceSettings, env_prefix="GATEWAY_", populate_by_name=True):
    """The gateway's settings; `http` is the public port and `admin` the service port."""

    http: HTTPSettings = HTTPSettings(port=8787)
    admin: HTTPSettings = HTTPSettings(port=8800)
    nats: NatsSettings = NatsSettings()
    upstreams: UpstreamSettings = UpstreamSettings()
    limits: LimitSettings = LimitSettings()
    passport_key_file: Path
    # Without a file the salt lives as long as the process, and address hashes with it.
    address_salt_file: Path | None = None
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        default=(),
        validation_alias=AliasChoices("GATEWAY_TRUSTED_PROXIES", "DARKROOM_TRUSTED_PROXIES"),
    )

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value
