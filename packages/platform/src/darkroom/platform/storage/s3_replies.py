"""What S3's replies and refusals mean."""

from datetime import datetime
from http import HTTPStatus
from xml.etree import ElementTree as ET

from darkroom.platform.errors import Broken
from darkroom.platform.storage.blobs import BlobMissing, Listed
from darkroom.platform.storage.s3_requests import Refusal, S3Reply


def absent(key: str, refusal: Refusal) -> Exception:
    """Tell why a read or a copy of the key was refused."""
    if refusal.status == HTTPStatus.NOT_FOUND:
        return BlobMissing(key=key)
    if refusal.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return ValueError("the part begins behind the object's end")
    return unexpected(key, refusal)


def unexpected(key: str, refusal: Refusal) -> Broken:
    """Blame ourselves for a refusal no caller could have caused."""
    return Broken(key=key, status=refusal.status, s3_code=refusal.code)


def range_header(start: int, stop: int | None) -> dict[str, str]:
    """Ask for a part, or for everything."""
    if start == 0 and stop is None:
        return {}
    return {"range": f"bytes={start}-{'' if stop is None else stop - 1}"}


def etag(reply: S3Reply) -> str:
    """Return the ETag without its quotes."""
    return reply.headers.get("etag", "").strip('"')


def whole_size(reply: S3Reply) -> int:
    """Return the size of the whole object, whatever part the reply carries."""
    # "bytes 0-4/1000"; some servers send it under a 200, so the status is no guide.
    whole = reply.headers.get("content-range", "").rpartition("/")[2]
    return int(whole or reply.headers["content-length"])


def listed(entry: ET.Element) -> Listed:
    """Read one entry of a listing."""
    return Listed(
        entry.findtext("{*}Key", ""),
        int(entry.findtext("{*}Size", "0")),
        datetime.fromisoformat(entry.findtext("{*}LastModified", "")),
    )
