"""The simulated fleet: nobody is forgotten, laws hold, the same seed gives the same fleet."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.service.fleet import GPU_SECONDS, burst, day, main, pods_for
from benchmarks.service.simulated.autoscaler import Direction, Policy, Settings
from benchmarks.service.simulated.fleet import Report, Scenario, simulate
from benchmarks.service.simulated.pod import Rules

QUICK = Direction(0, (Policy("Percent", 100, 15), Policy("Pods", 4, 15)))
AUTOSCALED = Settings(in_flight=1, up=QUICK, down=replace(QUICK, window=300), least=1, most=100)


def fixed(pods: int) -> Settings:
    return replace(AUTOSCALED, least=pods, most=pods)


SCENARIO = Scenario(
    rate=lambda _: 10.0, seconds=1800.0, service=np.array([0.5]), settings=fixed(8), pods=8, spot_loss=0.0
)
HARD = replace(
    SCENARIO,
    rate=lambda at: burst(10.0, at),
    settings=AUTOSCALED,
    spot_loss=0.9,
    service=np.array([1.5]),
    rules=Rules(places=9, deadline=6.0),
)


def test_every_request_is_served_refused_or_lost() -> None:
    report = simulate(HARD, 0)
    refused = report.refused.total() + report.unreachable
    assert report.arrived == report.served + refused + report.lost
    assert min(report.served, refused, report.lost, len(report.refused)) > 0
    assert len(report.latencies) == report.served
    assert max(report.latencies) <= HARD.rules.deadline


def test_the_same_seed_gives_the_same_fleet_and_another_one_another() -> None:
    first, again, other = (simulate(HARD, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_mean_inside_is_the_rate_let_in_times_the_mean_time_inside() -> None:
    report = simulate(replace(SCENARIO, seconds=7200.0), 0)
    inside = np.mean(report.in_flight)
    assert inside == pytest.approx(report.served / 7200 * np.mean(report.latencies), rel=0.05)


def test_a_fleet_that_little_s_law_sizes_is_as_busy_as_it_says() -> None:
    pods = pods_for(10.0, 0.5, utilisation=0.7)
    assert pods == 8
    report = simulate(replace(SCENARIO, settings=fixed(pods), pods=pods), 0)
    assert report.pods == [pods] * len(report.pods)
    assert report.busy_seconds / report.pod_seconds == pytest.approx(5 / 8, rel=0.03)


def test_pods_come_with_a_burst_and_go_after_it() -> None:
    scenario = replace(
        SCENARIO, rate=lambda at: burst(10.0, at), seconds=3600.0, settings=AUTOSCALED, cold_start=30.0
    )
    pods = simulate(scenario, 0).pods
    before, during, after = max(pods[20:60]), max(pods[70:120]), max(pods[180:])
    assert during > 1.5 * before
    assert after < 1.5 * before


def test_later_pods_make_for_more_refusals() -> None:
    scenario = replace(
        SCENARIO,
        rate=lambda at: burst(burst(10.0, at), at),
        seconds=3600.0,
        settings=AUTOSCALED,
        balance="two",
    )
    soon, late = (simulate(replace(scenario, cold_start=seconds), 0) for seconds in (10.0, 300.0))
    assert soon.refused_share < 0.5 * late.refused_share


def test_a_single_pod_that_is_lost_is_an_outage_of_a_cold_start() -> None:
    alone = replace(SCENARIO, rate=lambda _: 0.1, settings=fixed(1), pods=1, spot_loss=0.9, seconds=200_000.0)
    report = simulate(alone, 0)
    losses = 200_000 / 3600 * -np.log1p(-0.9)  # expected, of a pod that was always there
    assert report.unreachable / report.arrived == pytest.approx(losses * 180 / 200_000, rel=0.2)
    two = simulate(replace(alone, settings=fixed(2), pods=2), 0)
    assert two.refused_share < 0.25 * report.refused_share


def test_the_emptier_of_two_pods_refuses_fewer_than_any_pod() -> None:
    any_pod, emptier = (simulate(replace(SCENARIO, balance=each), 0) for each in ("random", "two"))
    assert emptier.refused_share < 0.2 * any_pod.refused_share


def test_pods_cost_from_their_order_to_their_last_picture() -> None:
    report = simulate(SCENARIO, 0)
    assert report.pod_seconds == pytest.approx(8 * 1800)


def test_the_day_has_the_mean_that_was_asked_for() -> None:
    assert np.mean([day(5.0, at) for at in range(0, 86400, 60)]) == pytest.approx(5.0)
    assert [day(5.0, 0), day(5.0, 43200)] == pytest.approx([1.0, 9.0])


def test_two_reports_make_one() -> None:
    one, other = simulate(HARD, 0), simulate(HARD, 1)
    both = Report()
    both.add(one)
    both.add(other)
    assert both.arrived == one.arrived + other.arrived
    assert both.refused == one.refused + other.refused
    assert len(both.latencies) == both.served


def test_the_command_prints_a_row_for_each_load_and_setting() -> None:
    result = CliRunner().invoke(main, ["--load", "30", "--setting", "chart", "--setting", "eager"])
    assert result.exit_code == 0, result.output
    rows = result.output.splitlines()[1:]
    assert [row.split()[:2] for row in rows] == [["30", "chart"], ["30", "eager"]]
    assert GPU_SECONDS <= float(rows[0].split()[5]) < 2 * GPU_SECONDS


def test_seconds_can_be_those_of_a_service_s_log(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    lines = [{"message": "ready"}, {"stages": {"decode": 0.1}}, {"stages": {"optimise": 2.0}}]
    log.write_text("\n".join(["no JSON", *(json.dumps(line) for line in lines)]))
    result = CliRunner().invoke(
        main, ["--load", "5", "--setting", "chart", "--log", str(log), "--spread", "0"]
    )
    assert result.exit_code == 0, result.output
    assert float(result.output.splitlines()[1].split()[5]) == 2.0
    log.write_text("nothing")
    result = CliRunner().invoke(main, ["--log", str(log)])
    assert result.exit_code == 2
    assert "has no line with stages.optimise" in result.output
