from hypothesis import given
from hypothesis import strategies as st

from darkroom.contracts.recipes import Resize
from darkroom.processor.pipeline.resize import target_size

sides = st.integers(1, 16_000)


@given(width=sides, height=sides, box_width=sides, box_height=sides, keeps=st.booleans())
def test_a_target_fits_its_box_and_keeps_proportions(
    width: int, height: int, box_width: int, box_height: int, *, keeps: bool
) -> None:
    operation = Resize(width=box_width, height=box_height, no_enlarge=keeps)
    made_width, made_height = target_size((width, height), operation)
    assert 1 <= made_width <= max(box_width, 1)
    assert 1 <= made_height <= max(box_height, 1)
    scale = min(box_width / width, box_height / height)
    scale = min(scale, 1) if keeps else scale
    assert abs(made_width - max(1, width * scale)) <= 1
    assert abs(made_height - max(1, height * scale)) <= 1
