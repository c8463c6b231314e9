"""After a script of everything that can happen to a request, every number on /metrics is what the script did."""

import random
import string
import time
from collections import Counter
from collections.abc import Generator

import pytest
import requests

from tests.monitoring.script import PARTS, Script, scrape

# Seconds differ from run to run: of these, no more is known than that they fit into the script's own.
SECONDS = (
    "stylize_http_request_duration_seconds_sum",
    "stylize_stage_duration_seconds_sum",
    "stylize_queue_wait_seconds_sum",
    "stylize_evaluation_duration_seconds_sum",
    "stylize_engine_busy_seconds_total",
    "stylize_key_engine_seconds_total",
    "stylize_model_load_seconds",
    "stylize_warmup_seconds",
)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Generator[Script, None, None]:
    script = Script(tmp_path_factory.mktemp("script"))
    try:
        for part in PARTS:
            part(script)
        yield script
    finally:
        script.load_file.unlink(missing_ok=True)
        script.server.__exit__()


def test_every_number_is_what_the_script_did(script: Script) -> None:
    settled = {
        "stylize_queue_capacity": 1,
        'stylize_engine_state{state="ready"}': 1,
        "stylize_max_budget_seconds": 45,
        "stylize_deadline_seconds": 50,
    }
    expected = script.expected | Counter(
        {f"{name}{{}}" if "{" not in name else name: v for name, v in settled.items()}
    )
    seen = scrape(script.server)
    exempt = (
        "stylize_build_info",
        "stylize_engine_heartbeat_timestamp_seconds",
        "stylize_http_responses_cut_short",  # of those who left: what the kernel says by the time of the write
        *SECONDS,
    )
    numbers = {
        name: value
        for name, value in seen.items()
        if not name.startswith(exempt) and "_bucket{" not in name and value
    }
    assert numbers == dict(expected)


def test_outcomes_add_up_to_the_answers_of_the_route(script: Script) -> None:
    seen = scrape(script.server)
    outcomes = sum(v for name, v in seen.items() if name.startswith("stylize_requests_total"))
    answers = sum(
        v
        for name, v in seen.items()
        if name.startswith("stylize_http_requests_total") and 'route="/stylize"' in name
    )
    assert (
        outcomes
        == answers
        == sum(v for n, v in script.expected.items() if n.startswith("stylize_requests_total"))
    )


def test_the_largest_bucket_of_every_histogram_is_its_count(script: Script) -> None:
    seen = scrape(script.server)
    largest = {name: value for name, value in seen.items() if 'le="+Inf"' in name}
    assert largest
    for name, value in largest.items():
        family, _, labels = name.partition("_bucket")
        rest = ",".join(part for part in labels.strip("{}").split(",") if not part.startswith("le="))
        assert value == seen[f"{family}_count{{{rest}}}"], name


def test_seconds_are_some_of_those_that_the_script_took(script: Script) -> None:
    took = time.time() - script.begun
    seen = scrape(script.server)
    for name in SECONDS:
        values = [value for each, value in seen.items() if each.startswith(name)]
        assert values
        assert all(0 <= value <= took for value in values), name
    (heartbeat,) = [v for name, v in seen.items() if name.startswith("stylize_engine_heartbeat")]
    assert time.time() - 30 < heartbeat <= time.time()


def test_the_engine_s_time_is_that_of_the_only_key(script: Script) -> None:
    seen = scrape(script.server)
    (by_key,) = [v for name, v in seen.items() if name.startswith("stylize_key_engine_seconds_total")]
    assert by_key == pytest.approx(seen["stylize_engine_busy_seconds_total{}"])
    assert by_key > 0


def test_a_scanner_of_a_thousand_paths_adds_no_series(script: Script) -> None:
    chance = random.Random(7)
    before = scrape(script.server)
    with requests.Session() as scanner:
        for number in range(1000):
            path = "".join(
                chance.choices(string.ascii_letters + string.digits + "/%._-", k=chance.randint(1, 40))
            )
            method = chance.choice(("GET", "POST", "PUT", "BREW", "PROPFIND"))
            url = f"http://127.0.0.1:{script.server.port}/"
            prepared = requests.Request(method, url).prepare()
            prepared.url = f"{url}x{number}/{path.replace('%', '%25')}"
            assert scanner.send(prepared, timeout=10).status_code in (404, 405, 501)
    after = scrape(script.server)
    made = {name for name in after if name not in before}
    # One for each method that had not been used before, and those are few, whatever is sent.
    methods = {name for name in made if name.startswith("stylize_http_requests_total")}
    assert {name.split('method="')[1].split('"')[0] for name in methods} <= {"POST", "PUT", "other"}
    assert made - methods == set()
    counted = sum(v for n, v in after.items() if n.startswith("stylize_http_requests_total"))
    assert counted - sum(v for n, v in before.items() if n.startswith("stylize_http_requests_total")) == 1000
