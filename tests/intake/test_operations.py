import json

import pytest

from service.api.paint.report import settings_used
from service.intake.bounds import Bounds
from service.intake.contract import StylizeOptions
from service.intake.errors import OptionsError
from service.intake.operations import OPERATIONS, RECONSTRUCT_CONTENT, RECONSTRUCT_STYLE, STYLIZE, Operation
from service.style.network.vgg import layer_names
from service.style.options import PAPER_CONTENT_LAYERS, PAPER_STYLE_LAYERS, Options

BOUNDS = Bounds.of_device("cpu", layer_names("vgg16"), max_budget=60)


def options(operation: Operation, styles: int, **given: object) -> Options:
    return BOUNDS.complete(operation.parse(given, text=False), styles)


def complaints(operation: Operation, given: dict[str, object]) -> list[str]:
    with pytest.raises(OptionsError) as raised:
        operation.parse(given, text=True)
    return [error.message for error in raised.value.errors]


def test_a_content_reconstruction_is_eq_1_alone_from_white_noise() -> None:
    wanted = options(RECONSTRUCT_CONTENT, 0)
    assert (wanted.content_weight, wanted.style_weight, wanted.init) == (1, 0, "noise")
    assert wanted.content_layers == PAPER_CONTENT_LAYERS


def test_a_style_reconstruction_is_eq_5_alone_from_white_noise() -> None:
    wanted = options(RECONSTRUCT_STYLE, 2, style_weights=[2, 1])
    assert (wanted.content_weight, wanted.style_weight, wanted.init) == (0, 1, "noise")
    assert wanted.style_layers == PAPER_STYLE_LAYERS
    assert wanted.style_blend == (2, 1)


def test_what_is_given_goes_before_what_is_preset() -> None:
    assert options(RECONSTRUCT_CONTENT, 0, init="content").init == "content"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_each_name_of_an_operation_is_an_option_and_what_it_does_not_take_cannot_be_given(
    operation: Operation,
) -> None:
    assert set(operation.options) | set(operation.preset) <= set(StylizeOptions.model_fields)
    for name in set(StylizeOptions.model_fields) - set(operation.options):
        (message,) = complaints(operation, {name: "1"})
        assert message.startswith(f'"{name}" is not a known option of {operation.path}: ')


@pytest.mark.parametrize(
    ("operation", "given", "message"),
    [
        (STYLIZE, "sizze", '"sizze" is not a known option of /stylize: did you mean size?'),
        (
            RECONSTRUCT_CONTENT,
            "content_layer",
            '"content_layer" is not a known option of /reconstruct/content: did you mean content_layers?',
        ),
        (
            RECONSTRUCT_CONTENT,
            "style_name",
            '"style_name" is not a known option of /reconstruct/content: there are budget, content, content_layers, '
            "depth, dpi, format, init, iterations, metadata, pooling, quality, seed, size, tile.",
        ),
        (
            RECONSTRUCT_STYLE,
            "content_weight",
            '"content_weight" is not a known option of /reconstruct/style: did you mean style_weights?',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else value.path,
)
def test_a_name_that_it_does_not_take_is_answered_with_one_that_it_takes(
    operation: Operation, given: str, message: str
) -> None:
    assert complaints(operation, {given: "1"}) == [message]


def test_a_reconstruction_starts_from_no_picture_of_the_clients() -> None:
    assert complaints(RECONSTRUCT_CONTENT, {"init": "image"}) == [
        "init is image, but /reconstruct/content takes no init_image: give content or noise."
    ]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert len(complaints(RECONSTRUCT_STYLE, {"init": "noise", "size": "1", "pooling": "min"})) == 3


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_the_settings_of_a_report_can_be_sent_again(operation: Operation) -> None:
    styles = 1 if "style" in operation.pictures else 0
    first = options(operation, styles, size=99, iterations=7)
    used = {
        name: value for name, value in settings_used(first, "webp", 80).items() if name in operation.options
    }
    assert options(operation, styles, **json.loads(json.dumps(used))) == first
