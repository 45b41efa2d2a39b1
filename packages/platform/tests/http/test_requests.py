from uuid import UUID

import pytest

from darkroom.platform.http.requests import adopt_request_id, current_request_id


def test_a_safe_request_id_is_kept() -> None:
    assert adopt_request_id("order-66.a:b_c") == "order-66.a:b_c"
    assert current_request_id() == "order-66.a:b_c"


@pytest.mark.parametrize("offered", [None, "", "a b", "x" * 129, "line\nbreak", "é", "<script>"])
def test_log_01_an_unsafe_request_id_is_replaced(offered: str | None) -> None:
    assert UUID(adopt_request_id(offered)).version == 7
