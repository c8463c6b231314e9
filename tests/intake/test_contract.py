import pytest

from service.intake.contract import parse_options
from service.intake.errors import OptionsError


def complaint(given: dict[str, object], *, text: bool = True) -> str:
    with pytest.raises(OptionsError) as raised:
        parse_options(given, text=text)
    assert len(raised.value.errors) == 1
    return raised.value.errors[0].message


def test_texts_stand_for_numbers_in_a_form() -> None:
    options = parse_options({"size": "300", "strength": "0.25", "seed": "7", "budget": "1.5"}, text=True)
    assert (options.size, options.strength, options.seed, options.budget) == (300, 0.25, 7, 1.5)


@pytest.mark.parametrize("value", ["300", True, 300.5, None, [300]])
def test_only_numbers_are_numbers_in_json(value: object) -> None:
    assert "size is" in complaint({"size": value}, text=False)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size": "31"}, 'size is "31": give a whole number, at least 32.'),
        ({"size": "big"}, 'size is "big": give a whole number, at least 32.'),
        ({"strength": "7"}, 'strength is "7": give a number from 0 to 1.'),
        ({"strength": "nan"}, 'strength is "nan": give a number from 0 to 1.'),
        ({"content_weight": "-1"}, 'content_weight is "-1": give a number from 0 to 1e+06.'),
        ({"style_scale": "9"}, 'style_scale is "9": give a number from 0.1 to 4.'),
        (
            {"color": "photo"},
            'color is "photo": give one of style, content-match, content-luminance.',
        ),
        ({"tv_weight": "-1"}, 'tv_weight is "-1": give a number from 0 to 1e+06.'),
        ({"tv_weight": "nan"}, 'tv_weight is "nan": give a number from 0 to 1e+06.'),
        ({"init": "white"}, 'init is "white": give one of content, image, noise.'),
        ({"pooling": "min"}, 'pooling is "min": give one of average, max.'),
        ({"format": "gif"}, 'format is "gif": give one of jpeg, jpg, png, webp, avif.'),
        ({"quality": "0"}, 'quality is "0": give a whole number from 1 to 100.'),
        ({"seed": "-1"}, 'seed is "-1": give a whole number from 0 to 4294967295.'),
        ({"iterations": "0"}, 'iterations is "0": give a whole number from 1 to 10000.'),
        ({"budget": "0"}, 'budget is "0": give a number above 0.'),
        ({"budget": "inf"}, 'budget is "inf": give a number above 0.'),
        ({"sizze": "3"}, '"sizze" is not a known option of this service: did you mean size?'),
        (
            {"strength": "0.5", "style_weight": "2"},
            "strength sets content_weight and style_weight: give either strength or the two weights.",
        ),
        (
            {"content_weight": "0", "style_weight": "0"},
            "content_weight and style_weight are both 0: give at least one above 0.",
        ),
        (
            {"style_layers": "conv1_1:x"},
            'style_layers: "conv1_1:x" is not a layer with a weight: give each name once, like conv4_2 or '
            "conv4_2:0.5.",
        ),
        (
            {"style_layers": "conv1_1,conv1_1"},
            'style_layers: "conv1_1" is not a layer with a weight: give each name once, like conv4_2 or '
            "conv4_2:0.5.",
        ),
        (
            {"content_layers": "conv4_2:-1"},
            'content_layers: the weight of "conv4_2" is -1.0: give a number above 0, at most 1e6.',
        ),
        ({"content_layers": "{"}, 'content_layers: "{" is not JSON: give names like conv4_2,conv5_2:0.5.'),
        ({"content_layers": ","}, "content_layers: give at least one layer, like conv4_2 or conv4_2:0.5."),
        ({"style_weights": "1,-2"}, "number 2 of style_weights is -2.0: give a number from 0 to 1e6."),
        (
            {"style_weights": "one"},
            'style_weights: "one" is not a list of numbers: give one for each style, like 1,0.5.',
        ),
    ],
)
def test_a_wrong_option_is_named_with_what_to_give_instead(given: dict[str, object], message: str) -> None:
    assert complaint(given) == message


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(OptionsError) as raised:
        parse_options({"size": "1", "strength": "2", "colour": "x"}, text=True)
    assert {error.field for error in raised.value.errors} == {"size", "strength", "colour"}


def test_a_long_value_is_not_repeated_in_full() -> None:
    assert len(complaint({"size": "9" * 5000})) < 120


@pytest.mark.parametrize(
    "value",
    [
        "conv1_1,conv2_1:0.5",
        '["conv1_1", "conv2_1:0.5"]',
        '{"conv1_1": 1, "conv2_1": 0.5}',
        " conv1_1 , conv2_1:0.5",
    ],
)
def test_layers_can_be_written_in_several_ways(value: str) -> None:
    assert parse_options({"style_layers": value}, text=True).style_layers == {"conv1_1": 1, "conv2_1": 0.5}


@pytest.mark.parametrize(
    "value", [["conv1_1", "conv2_1:0.5"], {"conv1_1": 1, "conv2_1": 0.5}, "conv1_1,conv2_1:0.5"]
)
def test_layers_in_json_are_texts_lists_or_objects(value: object) -> None:
    assert parse_options({"style_layers": value}, text=False).style_layers == {"conv1_1": 1, "conv2_1": 0.5}


@pytest.mark.parametrize("value", [3, True, [1], [["conv1_1"]], {"conv1_1": "1"}, {"conv1_1": True}, [], {}])
def test_anything_else_is_no_layers(value: object) -> None:
    assert "layer" in complaint({"style_layers": value}, text=False)


def test_in_json_weights_are_a_list_and_no_text() -> None:
    assert complaint({"style_weights": "1,2"}, text=False) == 'style_weights is "1,2": give a list.'
    assert parse_options({"style_weights": "1,2"}, text=True).style_weights == [1, 2]


@pytest.mark.parametrize("value", ["16", "16.0", "1.6e1"])
def test_a_form_writes_the_depth_as_it_writes_any_number(value: str) -> None:
    assert parse_options({"depth": value}, text=True).depth == 16
