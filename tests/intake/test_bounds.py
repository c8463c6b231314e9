import json

import pytest

from service.api.paint.report import settings_used
from service.intake.bounds import Bounds
from service.intake.contract import parse_options
from service.intake.errors import OptionsError
from service.style.network.vgg import layer_names
from service.style.options import PAPER_CONTENT_LAYERS, PAPER_STYLE_LAYERS
from service.style.strength import strength_to_content_weight

BOUNDS = Bounds.of_device("cpu", layer_names("vgg16"), max_budget=60)


def test_without_options_everything_but_the_strength_is_the_papers() -> None:
    options = BOUNDS.complete(parse_options({}, text=True), 1)
    assert options.content_weight == strength_to_content_weight(0.75)
    assert options.opacity == 1
    assert options.style_weight == 1
    assert options.content_layers == PAPER_CONTENT_LAYERS
    assert options.style_layers == PAPER_STYLE_LAYERS
    assert options.style_scale == 1
    assert options.pooling == "average"
    assert (options.color, options.tv_weight) == ("style", 0)
    assert options.iterations is None


@pytest.mark.parametrize(("given", "weights"), [("content_weight", (2, 1)), ("style_weight", (1e-3, 2))])
def test_with_one_weight_the_other_is_the_papers(given: str, weights: tuple[float, float]) -> None:
    options = BOUNDS.complete(parse_options({given: "2"}, text=True), 1)
    assert (options.content_weight, options.style_weight) == weights


@pytest.mark.parametrize(("device", "usual", "largest"), [("cpu", 256, 1024), ("cuda", 512, 4096)])
def test_the_usual_and_the_largest_size_follow_from_the_device(device: str, usual: int, largest: int) -> None:
    bounds = Bounds.of_device(device, ())
    assert (bounds.default_size, bounds.max_size) == (usual, largest)


def test_the_usual_size_is_never_larger_than_what_the_operator_allows() -> None:
    assert Bounds.of_device("cuda", (), max_size=200).default_size == 200


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"size": "99999"}, "size", "size is 99999: give a whole number from 32 to 1024, in pixels."),
        ({"budget": "61"}, "budget", "budget is 61: give a number above 0, at most 60, in seconds."),
        (
            {"style_layers": "conv4_4"},
            "style_layers",
            'style_layers: "conv4_4" is not a known layer of this network: did you mean conv4_3?',
        ),
        (
            {"style_weights": "1,2,3"},
            "style_weights",
            "style_weights has 3 numbers: give 2, one for each style.",
        ),
        ({"style_weights": "0,0"}, "style_weights", "style_weights are all 0: give at least one above 0."),
    ],
)
def test_what_this_server_cannot_do_names_its_bounds(
    given: dict[str, object], field: str, message: str
) -> None:
    with pytest.raises(OptionsError) as raised:
        BOUNDS.complete(parse_options(given, text=True), 2)
    assert [(error.field, error.message) for error in raised.value.errors] == [(field, message)]


def test_without_strength_the_photograph_is_not_painted_but_delivered() -> None:
    options = BOUNDS.complete(parse_options({"strength": "0", "iterations": "50"}, text=True), 1)
    assert (options.opacity, options.iterations) == (0, 1)


@pytest.mark.parametrize(("strength", "opacity"), [(0.01, 0.036), (0.1, 0.2546), (0.5, 1), (0.7, 1)])
def test_with_little_strength_the_photograph_shows_through(strength: float, opacity: float) -> None:
    options = BOUNDS.complete(parse_options({"strength": strength}, text=False), 1)
    assert options.opacity == pytest.approx(opacity, rel=1e-3)


def test_strength_is_the_papers_ratio_in_the_middle() -> None:
    options = BOUNDS.complete(parse_options({"strength": "0.5"}, text=True), 1)
    assert options.content_weight == pytest.approx(1e-3)
    assert options.style_weight == 1


@pytest.mark.parametrize(
    ("given", "budget"), [({}, 5), ({"budget": "9"}, 9), ({"iterations": "9"}, None), ({"size": "64"}, 5)]
)
def test_the_default_budget_is_for_requests_that_limit_nothing_themselves(
    given: dict[str, object], budget: float | None
) -> None:
    bounds = Bounds.of_device("cpu", layer_names("vgg16"), max_budget=60, default_budget=5)
    assert bounds.complete(parse_options(given, text=True), 1).budget == budget


def test_no_request_may_take_longer_than_the_server_allows() -> None:
    bounds = Bounds.of_device("cpu", layer_names("vgg16"), max_budget=60)
    for given in ({}, {"budget": "9"}, {"iterations": "900"}):
        assert bounds.complete(parse_options(given, text=True), 1).time_limit == 60


def test_the_settings_of_a_report_can_be_sent_again() -> None:
    given = {
        "strength": "0.3",
        "style_weights": "1,2",
        "size": "99",
        "color": "content-match",
        "tv_weight": "0.1",
    }
    options = BOUNDS.complete(parse_options(given, text=True), 2)
    again = json.loads(json.dumps(settings_used(options, "webp", 80)))
    assert BOUNDS.complete(parse_options(again, text=False), 2) == options
