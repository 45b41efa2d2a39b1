"""Finding the stored file behind an address, for whoever may have it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.domain.capability import CapabilityKey
from darkroom.catalog.domain.delivery import Caller, Delivery, deliver, parse_address
from darkroom.catalog.domain.errors import FileMissing
from darkroom.catalog.domain.owner import Owner
from darkroom.catalog.store.images import Images


async def find_delivery(
    session: AsyncSession,
    *,
    shelf: str,
    name: str,
    owner: Owner | None,
    token: str | None,
    key: CapabilityKey,
    now: datetime,
) -> Delivery:
    """Refuse a wrong capability before any look-up, so that it tells nothing about the image."""
    address = parse_address(shelf, name)
    url_version = None if token is None else key.verify(token, address.path, now=now)
    image = await Images(session).find(address.image_id)
    if image is None:
        raise FileMissing
    return deliver(image, address, Caller(owner, url_version))
