import io
import json
import logging
import re
import threading
from datetime import datetime

import pytest

from service.monitoring.logs import JSONFormatter, PatientHandler, TerminalFormatter, logging_config
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


class Pipe(io.StringIO):
    """A stream whose reader can stop."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = threading.Event()
        self.written = threading.Event()

    def write(self, text: str, /) -> int:
        self.written.set()
        assert self.reads.wait(30)
        return super().write(text)


def patient(stream: io.StringIO, most: int = 10) -> PatientHandler:
    handler = PatientHandler(stream, most)
    handler.setFormatter(JSONFormatter())
    return handler


def test_lines_come_in_their_order() -> None:
    stream = io.StringIO()
    handler = patient(stream)
    for number in range(5):
        handler.handle(logging.makeLogRecord({"msg": str(number)}))
    handler.flush()
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == list("01234")


def test_a_reader_of_the_log_that_stops_holds_nobody_up_and_is_told_how_much_it_missed() -> None:
    stream = Pipe()
    handler = patient(stream, most=3)
    handler.handle(logging.makeLogRecord({"msg": "first"}))
    assert stream.written.wait(30)  # it holds the writer
    for number in range(10):
        handler.handle(logging.makeLogRecord({"msg": str(number)}))
    stream.reads.set()
    handler.flush()
    messages = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert messages == [
        "first",
        "0",
        "7 lines before this one were dropped, as nobody read the log",
        "1",
        "2",
    ]
