from collections.abc import Callable
from datetime import datetime

import pytest

from darkroom.catalog.domain.delivery import (
    PRIVATE_CACHING,
    SHARED_CACHING,
    Caller,
    Shelf,
    deliver,
    file_path,
    parse_address,
)
from darkroom.catalog.domain.errors import FileMissing, LinkRefused
from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.owner import Owner
from darkroom.contracts.ids import Prefix, encode_id, new_id
from darkroom.contracts.images import ImageStatus, Visibility
from darkroom.contracts.jobs import JobCompletedV1
from darkroom.contracts.surfaces import Stage

MakeImage = Callable[..., Image]
Completed = Callable[..., JobCompletedV1]
ANYBODY = Caller(None, None)
EXTENSIONS = {Shelf.UPLOADS: "jpg", Shelf.PROCESSED: "jpg", Shelf.THUMBNAILS: "webp"}


def ready(make_image: MakeImage, completed: Completed, now: datetime, visibility: str) -> Image:
    image = make_image(visibility=Visibility(visibility))
    return image.complete(completed(image), now=now)


def name_of(image: Image, shelf: Shelf) -> str:
    return f"{encode_id(Prefix.IMAGE_PARTR, image.id)}.{EXTENSIONS[shelf]}"


@pytest.mark.parametrize("shelf", Shelf)
@pytest.mark.parametrize("visibility", ["public", "unlisted"])
def test_a_ready_image_is_open_to_whoever_has_the_link(
    shelf: Shelf, visibility: str, make_image: MakeImage, completed: Completed, now: datetime
) -> None:
    image = ready(make_image, completed, now, visibility)
    found = deliver(image, parse_address(shelf, name_of(image, shelf)), ANYBODY)
    assert found.caching == SHARED_CACHING


@pytest.mark.parametrize("shelf", Shelf)
def test_a_private_image_is_open_to_its_owner_and_to_a_link_of_this_version_alone(
    shelf: Shelf, make_image: MakeImage, completed: Completed, now: datetime
) -> None:
    image = ready(make_image, completed, now, "private")
    address = parse_address(shelf, name_of(image, shelf))
    assert deliver(image, address, Caller(image.owner, None)).caching == PRIVATE_CACHING
    assert deliver(image, address, Caller(None, image.url_version)).caching == PRIVATE_CACHING
    with pytest.raises(LinkRefused):
        deliver(image, address, Caller(None, image.url_version + 1))
    strangers = (None, Owner(new_id(), Stage.LIVE), Owner(image.owner.account_id, Stage.TEST))
    for stranger in strangers:
        with pytest.raises(FileMissing):
            deliver(image, address, Caller(stranger, None))


@pytest.mark.parametrize("status", [ImageStatus.QUEUED, ImageStatus.PROCESSING, ImageStatus.FAILED])
@pytest.mark.parametrize("visibility", Visibility)
def test_until_ready_the_original_is_its_owners_alone(
    status: ImageStatus, visibility: Visibility, make_image: MakeImage
) -> None:
    image = make_image(status=status, visibility=visibility)
    address = parse_address("uploads", name_of(image, Shelf.UPLOADS))
    assert deliver(image, address, Caller(image.owner, None)).caching == PRIVATE_CACHING
    for stranger in (ANYBODY, Caller(None, image.url_version)):
        with pytest.raises(FileMissing):
            deliver(image, address, stranger)
    with pytest.raises(FileMissing):
        deliver(image, parse_address("processed", address.path[-32:]), Caller(image.owner, None))


@pytest.mark.parametrize("shelf", Shelf)
def test_a_wrong_extension_is_another_file(
    shelf: Shelf, make_image: MakeImage, completed: Completed, now: datetime
) -> None:
    image = ready(make_image, completed, now, "public")
    for extension in ("png", "jpeg", "JPG", "", "jpg.html"):
        address = parse_address(shelf, f"{encode_id(Prefix.IMAGE_PARTR, image.id)}.{extension}")
        with pytest.raises(FileMissing):
            deliver(image, address, ANYBODY)


@pytest.mark.parametrize(
    ("shelf", "name"),
    [
        ("secret", "img_" + "0" * 24 + ".jpg"),
        ("uploads", "..%2f..%2fsecret"),
        ("uploads", "img_" + "0" * 23 + "/.jpg"),
        ("uploads", "img_" + "0" * 25 + ".jpg"),
        ("uploads", "file_" + "0" * 24 + ".jpg"),
        ("uploads", "img_" + "z" * 24 + ".jpg"),
        ("uploads", "\x00"),
        ("uploads", "x" * 2_000),
        ("uploads", ""),
    ],
)
def test_pub_11_a_strange_address_is_missing_before_any_store_is_asked(
    shelf: str, name: str
) -> None:
    with pytest.raises(FileMissing):
        parse_address(shelf, name)


def test_an_address_is_written_as_it_is_read(make_image: MakeImage) -> None:
    image = make_image()
    path = file_path(Shelf.UPLOADS, image.id, "jpg")
    address = parse_address(*path.removeprefix("/storage/").split("/"))
    assert (address.image_id, address.path) == (image.id, path)
