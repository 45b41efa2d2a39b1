"""Reading one image."""

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.domain.errors import ImageMissing
from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.owner import Owner
from darkroom.catalog.store.images import Images
from darkroom.contracts.ids import InvalidId, decode_image_id


async def get_image(session: AsyncSession, *, owner: Owner, image_id: str) -> Image:
    """Find an image by any of its public ids; what cannot be read as one is missing as well."""
    try:
        key = decode_image_id(image_id)
    except InvalidId:
        raise ImageMissing from None
    return await Images(session).get(key, owner=owner)
