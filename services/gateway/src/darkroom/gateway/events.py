"""What the gateway hears: a revoked key opens nothing from this moment on."""

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.gateway.wiring import Resources
from darkroom.platform.telemetry.logs import get_logger

log = get_logger()


async def listen(resources: Resources) -> None:
    """Hear revocations in every replica; after a silence, trust nothing remembered."""

    async def on_key_revoked(event: KeyRevokedV1) -> None:
        resources.keys.revoke(event.key_id)
        log.info("key_forgotten", key_id=str(event.key_id))

    async def on_reconnect() -> None:
        resources.keys.forget_all()

    resources.bus.on_reconnect(on_reconnect)
    await resources.bus.listen(KeyRevokedV1, on_key_revoked)
