import json
from pathlib import Path

import pytest

from darkroom.contracts.problems import (
    JSON_MEDIA_TYPE,
    PROBLEM_MEDIA_TYPE,
    FieldError,
    Problem,
    ProblemCode,
    body_for,
    media_type_for,
)
from darkroom.contracts.surfaces import Surface

PROBLEMS = {
    "plain": Problem(
        status=404,
        code=ProblemCode.NOT_FOUND,
        message="There is nothing here.",
        request_id="req_1",
    ),
    "field": Problem(
        status=400,
        code=ProblemCode.INVALID_FIELD,
        message="Missing or invalid: preset.",
        request_id="req_2",
        errors=(FieldError(field="preset", message="Must be optimize, enhance or none."),),
    ),
}


@pytest.mark.parametrize("surface", Surface)
def test_each_surface_refuses_in_its_documented_words(surface: Surface, golden: Path) -> None:
    bodies = {
        name: {kind: body_for(surface, problem, media_type=kind) for kind in BOTH}
        for name, problem in PROBLEMS.items()
    }
    assert bodies == json.loads((golden / "problems" / f"{surface}.json").read_text())


BOTH = (JSON_MEDIA_TYPE, PROBLEM_MEDIA_TYPE)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON_MEDIA_TYPE),
        ("*/*", JSON_MEDIA_TYPE),
        ("application/json", JSON_MEDIA_TYPE),
        ("text/html, application/problem+json;q=0.9", PROBLEM_MEDIA_TYPE),
    ],
)
def test_problem_media_type_is_used_when_the_client_lists_it(accept: str, chosen: str) -> None:
    assert media_type_for(accept) == chosen


def test_codes_are_words_joined_by_underscores_and_named_alike() -> None:
    assert {code.value: code.name.lower() for code in ProblemCode} == {
        code.value: code.value for code in ProblemCode
    }
