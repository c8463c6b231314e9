"""The simulation's autoscaler does what the documentation of KEDA and Kubernetes says of theirs."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from benchmarks.service.simulated.autoscaler import Autoscaler, Direction, Policy, Sample, Settings

FAST = Direction(0, (Policy("Percent", 1000, 15),))
PLAIN = Settings(in_flight=2, up=FAST, down=FAST, least=1, most=100)


def decide(settings: Settings, pods: int, in_flight: float, shed: float = 0, seconds: float = 0) -> int:
    return Autoscaler(settings).decide(0, pods, Sample(in_flight, shed, seconds))


@pytest.mark.parametrize(("in_flight", "pods"), [(0, 1), (25, 13), (1000, 100)])
def test_there_are_as_many_pods_as_put_the_target_into_each_within_the_bounds(
    in_flight: float, pods: int
) -> None:
    assert decide(PLAIN, 10, in_flight) == pods


@pytest.mark.parametrize("in_flight", [18.1, 21.9])
def test_a_tenth_more_or_less_changes_nothing(in_flight: float) -> None:
    assert decide(PLAIN, 10, in_flight) == 10


def test_the_refused_count_as_long_as_a_picture_takes() -> None:
    assert decide(PLAIN, 10, in_flight=20, shed=4, seconds=2.5) == 15
    assert decide(replace(PLAIN, weigh_refused=False), 10, in_flight=20, shed=4, seconds=2.5) == 10


def test_a_trigger_of_their_own_wishes_for_pods_by_their_number_alone() -> None:
    assert decide(replace(PLAIN, weigh_refused=False, shed_rate=0.1), 10, in_flight=20, shed=4) == 40


def test_the_widest_policy_holds_or_the_narrowest_if_that_is_selected() -> None:
    policies = (Policy("Pods", 4, 60), Policy("Percent", 10, 60))
    up = Direction(0, policies)
    assert decide(replace(PLAIN, up=up), 10, 1000) == 14
    assert decide(replace(PLAIN, up=up, most=1000), 80, 1000) == 88
    assert decide(replace(PLAIN, up=replace(up, select="Min")), 10, 1000) == 11
    assert decide(replace(PLAIN, up=replace(up, select="Disabled")), 10, 1000) == 10
    assert decide(replace(PLAIN, down=up), 80, 0) == 72
    assert decide(replace(PLAIN, down=up), 10, 0) == 6


def test_a_policy_counts_what_came_and_went_within_its_period() -> None:
    autoscaler = Autoscaler(replace(PLAIN, up=Direction(0, (Policy("Pods", 4, 60),))))
    pods, seen = 10, []
    for now in (0, 15, 45, 60, 75):
        pods = autoscaler.decide(now, pods, Sample(1000))
        seen.append(pods)
    assert seen == [14, 14, 14, 18, 18]


def test_pods_go_when_there_was_no_wish_for_them_within_the_window() -> None:
    autoscaler = Autoscaler(replace(PLAIN, down=Direction(300, FAST.policies)))
    wishes = {0: 20.0, 60: 30.0, 120: 4.0, 299: 4.0, 359: 4.0, 375: 4.0}
    pods, seen = 10, []
    for now, in_flight in wishes.items():
        pods = autoscaler.decide(now, pods, Sample(in_flight))
        seen.append(pods)
    assert seen == [10, 15, 15, 15, 15, 2]


def test_without_an_answer_there_is_the_fallback_after_some_misses() -> None:
    autoscaler = Autoscaler(replace(PLAIN, fallback=(5, 3)))
    assert [autoscaler.decide(now, 2, None) for now in (0, 15, 30)] == [2, 2, 5]
    assert autoscaler.decide(45, 5, Sample(10)) == 5
    assert autoscaler.decide(60, 5, None) == 5


def test_the_chart_s_values_can_be_read() -> None:
    chart = Path(__file__).parents[2] / "helm/stylize/values.yaml"
    values = yaml.safe_load(chart.read_text())["autoscaling"]
    settings = Settings.of(values)
    assert settings.in_flight == values["targetInFlight"]
    assert settings.down.window == 300
    assert Policy("Percent", 10, 60) in settings.down.policies
