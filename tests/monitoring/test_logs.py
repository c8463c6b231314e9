import json
import logging
import re
from datetime import datetime

import pytest

from service.monitoring.logs import JSONFormatter, TerminalFormatter, logging_config
from service.monitoring.record import RequestRecord


def line(record: logging.LogRecord) -> dict[str, object]:
    text = JSONFormatter().format(record)
    assert "\n" not in text
    parsed: dict[str, object] = json.loads(text)
    return parsed


def record(message: str = "hello", **extra: object) -> logging.LogRecord:
    return logging.getLogger("test").makeRecord("test", logging.INFO, "f", 1, message, (), None, extra=extra)


def test_a_record_is_one_object_on_one_line() -> None:
    parsed = line(record("two\nlines", seed=3))
    assert set(parsed) == {"time", "level", "logger", "message", "seed"}
    assert (parsed["level"], parsed["logger"], parsed["message"], parsed["seed"]) == (
        "info",
        "test",
        "two\nlines",
        3,
    )
    assert datetime.fromisoformat(str(parsed["time"])).utcoffset() is not None


def test_an_exception_stays_on_the_line() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        raised = error
    failure = logging.LogRecord("test", logging.ERROR, "f", 1, "it failed", (), (ValueError, raised, None))
    assert str(line(failure)["exception"]).endswith("ValueError: no")


def test_what_json_does_not_know_is_written_as_text() -> None:
    assert line(record(what={1}))["what"] == "{1}"


def test_the_line_of_a_request_has_its_stages_and_facts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "stylize.request")
    current = RequestRecord("r1", started=0, outcome="ok", stages={"decode": 0.123456}, facts={"seed": 9})
    current.log(method="POST", route="/stylize", status=200, seconds=1.00001)
    parsed = line(caplog.records[0])
    assert parsed.pop("time")
    assert parsed == {
        "level": "info",
        "logger": "stylize.request",
        "message": "POST /stylize 200",
        "request_id": "r1",
        "method": "POST",
        "route": "/stylize",
        "status": 200,
        "outcome": "ok",
        "seconds": 1.0,
        "stages": {"decode": 0.1235},
        "seed": 9,
    }


def test_a_head_that_a_server_quotes_is_cut_off_before_its_credentials() -> None:
    parsed = line(record("no more data after: b'POST / HTTP/1.1\\r\\nAuthorization: Bearer abc\\r\\nHo'"))
    assert parsed["message"] == "no more data after: b'POST / HTTP/1.1\\r\\nAuthorization [removed]"


def test_on_a_terminal_a_line_is_for_people() -> None:
    text = TerminalFormatter().format(record("POST /stylize 422", seconds=1.5, problem="invalid-request"))
    assert re.fullmatch(r"\d\d:\d\d:\d\d POST /stylize 422 in 1\.50 s \(invalid-request\)", text)
    warning = logging.LogRecord("test", logging.WARNING, "f", 1, "Authorization: Bearer secret", (), None)
    assert "WARNING: Authorization [removed]" in TerminalFormatter().format(warning)


def test_on_a_terminal_an_exception_comes_below_the_line() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        raised = error
    failure = logging.LogRecord("test", logging.ERROR, "f", 1, "it failed", (), (ValueError, raised, None))
    assert TerminalFormatter().format(failure).endswith("ValueError: no")


@pytest.mark.parametrize(("terminal", "formatter"), [(True, "terminal"), (False, "json")])
def test_whoever_is_no_terminal_gets_json(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, formatter: str
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    assert logging_config("info")["handlers"]["stdout"]["formatter"] == formatter
