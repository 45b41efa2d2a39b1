import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from darkroom.platform.http.requests import adopt_request_id
from darkroom.platform.telemetry.logs import get_logger, setup_logs


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.root
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_one_json_object_with_service_and_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    setup_logs("sample", level="info", log_format="json")
    adopt_request_id("order-66")
    get_logger().info("picture_seen", title='a\r\n\x1b[31m{}"b')
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    record = json.loads(lines[0])
    assert record["event"] == "picture_seen"
    assert record["service"] == "sample"
    assert record["request_id"] == "order-66"
    assert record["title"] == 'a\r\n\x1b[31m{}"b'


def test_log_06_a_traceback_carries_no_local_values(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logs("sample", level="info", log_format="json")
    secret = f"hush-{len('hush')}"
    try:
        secret.index("?")
    except ValueError:
        get_logger().exception("picture_lost")
    out = capsys.readouterr().out
    assert "picture_lost" in out
    assert secret not in out


def test_what_libraries_log_becomes_one_of_our_lines(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logs("sample", level="info", log_format="json")
    logging.root.warning("odd %s", "thing")
    record = json.loads(capsys.readouterr().out)
    assert record["event"] == "library_logged"
    assert record["message"] == "odd thing"
