import io
import struct
from collections.abc import Callable
from types import ModuleType

import pillow_heif
import pytest

from darkroom.upload.api.form import UploadForm
from darkroom.upload.domain.inspection import Inspection, inspect_file

Inspect = Callable[[bytes], Inspection]
ReadForm = Callable[..., tuple[UploadForm, bytes]]
Box = Callable[..., bytes]


@pytest.fixture(scope="session")
def inspect() -> Inspect:
    def run(content: bytes) -> Inspection:
        return inspect_file(io.BytesIO(content), len(content))

    return run


@pytest.fixture(scope="session")
def samples(pictures: ModuleType) -> dict[str, bytes]:
    heic, animated_avif = io.BytesIO(), io.BytesIO()
    pillow_heif.from_pillow(pictures.upright(64, 48)).save(heic)
    frame = pictures.upright(64, 48)
    frame.save(animated_avif, "AVIF", save_all=True, append_images=[frame.rotate(90)])
    return {
        "jpeg": pictures.jpeg(),
        "jpeg progressive": pictures.jpeg(progressive=True),
        "jpeg cmyk": pictures.jpeg_cmyk(),
        "jpeg tagged": pictures.jpeg_tagged(),
        "png": pictures.png(),
        "png one bit": pictures.png_one_bit(),
        "png palette": pictures.png_palette_alpha(),
        "png 16 bits": pictures.png_rgb16(),
        "apng": pictures.apng_animated(),
        "webp": pictures.webp(),
        "webp lossy": pictures.webp(lossless=False),
        "webp extended": pictures.webp(orientation=6),
        "webp animated": pictures.webp_animated(),
        "gif": pictures.gif(),
        "gif animated": pictures.gif_animated(),
        "avif": pictures.avif(),
        "avif animated": animated_avif.getvalue(),
        "heic": heic.getvalue(),
        "tiff": pictures.tiff(),
        "bmp": pictures.bmp(),
    }


@pytest.fixture
def read_form() -> ReadForm:
    def run(
        body: bytes,
        *,
        boundary: bytes = b"cut",
        limit: int = 10_000,
        piece_bytes: int = 65_536,
    ) -> tuple[UploadForm, bytes]:
        taken = bytearray()
        form = UploadForm(boundary, file_limit_bytes=limit, take_file=taken.extend)
        for start in range(0, len(body), piece_bytes):
            form.feed(body[start : start + piece_bytes])
        form.finish()
        return form, bytes(taken)

    return run


@pytest.fixture(scope="session")
def box() -> Box:
    def write(kind: bytes, *contents: bytes) -> bytes:
        content = b"".join(contents)
        return struct.pack(">I", 8 + len(content)) + kind + content

    return write


@pytest.fixture
def heif(box: Box) -> Callable[..., bytes]:
    def write(
        *,
        items: int = 1,
        references: int = 1,
        size: tuple[int, int] | None = (32, 24),
        reach: int = 4,
        samples: int = 0,
    ) -> bytes:
        properties = [] if size is None else [box(b"ispe", bytes(4), struct.pack(">II", *size))]
        meta = box(
            b"meta",
            bytes(4),
            box(b"pitm", bytes(4), b"\0\1"),
            box(b"iinf", bytes(4), struct.pack(">H", items)),
            box(b"iref", bytes(4), box(b"dimg", struct.pack(">HHH", 1, references, 1))),
            box(
                b"iloc",
                bytes(4),
                b"\x44\x00",
                struct.pack(">HHHHII", 1, 1, 0, 1, 16, reach),
            ),
            box(
                b"iprp",
                box(b"ipco", *properties),
                box(b"ipma", bytes(4), struct.pack(">IHBB", 1, 1, 1, 0x81)),
            ),
        )
        table = box(b"stsz", bytes(8), struct.pack(">I", samples))
        movie = box(b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", table)))))
        brands = box(b"ftyp", b"avif\0\0\0\0avifmif1")
        return brands + meta + (movie if samples else b"") + box(b"mdat", b"pixels")

    return write


@pytest.fixture
def tiff_file() -> Callable[..., bytes]:
    def write(
        *,
        width: int = 4,
        samples: int = 1,
        offset: int = 0,
        following: int = 0,
        pages: int = 1,
        raw: bool = False,
    ) -> bytes:
        pixels_at = offset or 8 + 6 + 8 * 12
        fields = [
            (256, 4, width),
            (257, 4, 4),
            (258, 3, 8),
            (259, 3, 1),
            (273, 4, pixels_at),
            (277, 3, samples),
            (279, 4, 16),
            (50706 if raw else 305, 4, 1),
        ]
        rows = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in fields)
        first_extra = 8 + 6 + 8 * 12 + 16
        extra = b"".join(
            struct.pack("<HI", 0, first_extra + 6 * page if page < pages - 1 else 0)
            for page in range(1, pages)
        )
        after = first_extra if pages > 1 else following
        directory = struct.pack("<H", len(fields)) + rows + struct.pack("<I", after)
        return b"II*\0" + struct.pack("<I", 8) + directory + bytes(16) + extra

    return write
