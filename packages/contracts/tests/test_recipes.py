import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from darkroom.contracts.images import ImageFormat
from darkroom.contracts.recipes import Output, Preset, Recipe, Resize, develop_recipes

sides = st.integers(min_value=1, max_value=16_383)
recipes = st.builds(
    Recipe,
    operations=st.lists(st.builds(Resize, width=sides, height=sides), max_size=3).map(tuple),
    output=st.builds(
        Output,
        format=st.none() | st.sampled_from(ImageFormat),
        quality=st.none() | st.integers(min_value=1, max_value=100),
    ),
)


def test_digests_that_name_stored_renditions_have_not_moved(golden: Path) -> None:
    digests = {
        preset: {name: recipe.digest() for name, recipe in develop_recipes(preset).items()}
        for preset in Preset
    }
    assert digests == json.loads((golden / "recipes.json").read_text())


@given(one=recipes, other=recipes)
def test_equal_recipes_and_only_they_share_a_digest(one: Recipe, other: Recipe) -> None:
    assert (one == other) == (one.digest() == other.digest())


@given(recipe=recipes)
def test_recipe_keeps_its_digest_on_the_wire(recipe: Recipe) -> None:
    assert Recipe.model_validate_json(recipe.model_dump_json()).digest() == recipe.digest()


@pytest.mark.parametrize(
    "operation",
    [
        {"kind": "resize", "width": 0, "height": 1},
        {"kind": "resize", "width": 1, "height": 16_384},
        {"kind": "resize", "width": 1, "height": 1, "colour": "red"},
        {"kind": "explode"},
        {},
    ],
    ids=["empty", "too wide", "unknown parameter", "unknown operation", "no kind"],
)
def test_operation_out_of_its_bounds_is_refused(operation: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate({"operations": [operation]})
