import io
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkroom.upload.domain.inspection import Inspection, inspect_file
from darkroom.upload.domain.verdict import Verdict

Inspect = Callable[[bytes], Inspection]
# The fixtures are read-only, so examples may share them.
total = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SIGNATURES = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    b"RIFF\x40\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00",
    b"RIFF\x40\x00\x00\x00WEBPVP8L",
    b"GIF89a\x10\x00\x10\x00\x80\x00\x00",
    b"\x00\x00\x00\x14ftypavif\x00\x00\x00\x00avif",
    b"\x00\x00\x00\x14ftypheic\x00\x00\x00\x00heic\x00\x00\x00\x60meta\x00\x00\x00\x00",
    b"II*\x00\x08\x00\x00\x00",
    b"MM\x00*\x00\x00\x00\x08",
    b"BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00",
)


@total
@given(head=st.sampled_from((b"", *SIGNATURES)), tail=st.binary(max_size=300))
def test_up_17_any_bytes_get_a_verdict(head: bytes, tail: bytes) -> None:
    content = head + tail
    found = inspect_file(io.BytesIO(content), len(content))
    assert (found.verdict is Verdict.OK) == (found.picture is not None)


@total
@given(choices=st.data())
def test_up_17_mutated_pictures_get_a_verdict(
    samples: dict[str, bytes], choices: st.DataObject
) -> None:
    content = bytearray(choices.draw(st.sampled_from(sorted(samples.values()))))
    # Structure lives near the front and the back; pixels in the middle are not looked at.
    front, size = min(len(content), 200), len(content)
    places = st.one_of(st.integers(0, front - 1), st.integers(size - front, size - 1))
    for _ in range(choices.draw(st.integers(1, 6))):
        content[choices.draw(places)] = choices.draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xFF)))
    found = inspect_file(io.BytesIO(content), len(content))
    assert (found.verdict is Verdict.OK) == (found.picture is not None)


def test_up_10_up_17_no_beginning_of_a_picture_is_a_picture(
    samples: dict[str, bytes], inspect: Inspect
) -> None:
    accepted = {
        (name, length)
        for name, content in samples.items()
        for length in range(len(content))
        if inspect(content[:length]).verdict is Verdict.OK
    }
    assert accepted == set()
