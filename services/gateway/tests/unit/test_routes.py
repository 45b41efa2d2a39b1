import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.contracts.surfaces import Surface
from darkroom.gateway.domain.matching import Match, RouteTable, WrongMethod
from darkroom.gateway.domain.paths import canonical
from darkroom.gateway.domain.routes import ROUTES, Owner, Policy, Route
from darkroom.gateway.domain.surface import surface_of

TABLE = RouteTable(ROUTES)
SAMPLES = {
    "album_id": "your-album-id",
    "image_id": "img_abc123xyz",
    "partr_image_id": "img_abc123xyz",
    "key_id": "key_1",
    "rendition": "processed",
    "file": "img_abc123xyz.jpg",
}
ROWS = [
    pytest.param(route, method, re.sub(r"\{(\w+)\}", lambda m: SAMPLES[m[1]], route.pattern))
    for route in ROUTES
    for method in route.methods
]


@pytest.mark.parametrize(("route", "method", "path"), ROWS)
def test_every_row_is_found_with_and_without_a_slash_at_its_end(
    route: Route, method: str, path: str
) -> None:
    for form in (path, f"{path}/"):
        found = TABLE.find(method, form)
        assert isinstance(found, Match)
        assert found.route is route
        assert found.path == (route.target or route.prefix + path)


@pytest.mark.parametrize(("route", "method", "path"), ROWS)
def test_a_refusal_has_the_shape_of_the_rows_surface(route: Route, method: str, path: str) -> None:
    assert surface_of(path) is route.surface
    assert surface_of(f"{path}/") is route.surface


@pytest.mark.parametrize(("route", "method", "path"), ROWS)
def test_a_method_no_row_has_is_told_which_ones_there_are(
    route: Route, method: str, path: str
) -> None:
    found = TABLE.find("PUT", path)
    assert isinstance(found, WrongMethod)
    assert method in found.allowed
    assert "OPTIONS" in found.allowed


def test_reading_by_get_is_reading_by_head() -> None:
    for route in ROUTES:
        assert ("GET" in route.methods) == ("HEAD" in route.methods)


def test_only_session_keys_are_reached_behind_a_service_ports_prefix() -> None:
    inner = [route.target for route in ROUTES if route.target is not None]
    assert inner == ["/-/session-keys"]
    assert all(not route.pattern.startswith("/-") for route in ROUTES)


def test_account_and_key_routes_are_for_sessions_and_nothing_else_is() -> None:
    for route in ROUTES:
        is_account = route.pattern.startswith(("/api/v1/auth/", "/api/v1/keys"))
        assert route.session_only == is_account
        if route.policy is Policy.NONE:
            assert route.owner is not Owner.UPLOAD


@pytest.mark.parametrize(
    ("path", "surface"),
    [
        ("/", Surface.PLATFORM),
        ("/health", Surface.PLATFORM),
        ("/v1", Surface.IMG),
        ("/v1/images/image_abc", Surface.IMG),
        ("/v1/images/upload", Surface.IMG),
        ("/v1/images/img_abc", Surface.PARTR),
        ("/v1/albums/a/images", Surface.PARTR),
        ("/v12/x", Surface.PLATFORM),
        ("/api/v1/upload", Surface.PARTR),
        ("/api/v1/upload/presign", Surface.PICHR),
        ("/api/v1/albums/a", Surface.PICHR),
        ("/api/v1/albums/a/images", Surface.PARTR),
        ("/api/v1/images/x", Surface.PARTR),
        ("/api/images/", Surface.IMAGEPRO),
        ("/account/logout/", Surface.IMAGEPRO),
        ("/auth/v1/signup", Surface.PICHR),
    ],
)
def test_the_order_of_prefixes_decides_the_surface(path: str, surface: Surface) -> None:
    assert surface_of(path) is surface


@pytest.mark.parametrize(
    "path",
    [
        "/v1/images/upload",
        "/v1/images/image_abc",
        "/api/v1/images/",
        "/api/v1/images/a/b",
        "/storage/secret/img_1.jpg",
        "/storage/uploads/img_1",
        "/api/v1/upload/presign",
        "/API/v1/upload",
        "",
        "*",
    ],
)
def test_a_path_beside_the_table_is_not_there(path: str) -> None:
    assert TABLE.find("GET", path) is None


@given(st.text(alphabet="/.-%;aA0_~\x00\\2e5fF?#é@: ", max_size=40))
def test_a_canonical_path_is_safe_and_stays_as_it_is(text: str) -> None:
    path = canonical(text)
    if path is None:
        return
    assert canonical(path) == path
    assert path.startswith("/")
    assert path == "/" or not path.endswith("/")
    assert not set("%;\\?# \x00é") & set(path)
    segments = path[1:].split("/")
    assert path == "/" or all(segment.strip(".") for segment in segments)


@given(st.from_regex(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,8}){1,5}", fullmatch=True), st.data())
def test_escaping_an_unreserved_character_changes_nothing(path: str, drawn: st.DataObject) -> None:
    index = drawn.draw(st.integers(1, len(path) - 1))
    character = path[index]
    if character == "/":
        return
    escaped = f"{path[:index]}%{ord(character):02x}{path[index + 1 :]}"
    assert canonical(escaped) == canonical(path) == path


@given(st.text(max_size=60))
def test_no_text_at_all_reaches_a_service_port_path(text: str) -> None:
    for path in (f"/-/{text}", f"/-{text}"):
        assert TABLE.find("GET", path) is None
