import torch

from service.engine.watch import Watch
from service.style.progress import Progress


def progress(number: int, made: list[int]) -> Progress:
    def preview() -> torch.Tensor:
        made.append(number)
        return torch.full((3, 2, 2), number, dtype=torch.uint8)

    return Progress(number / 10, number, 1 / number, 2.0, (48, 64), preview)


def test_there_is_nothing_to_see_before_the_first_evaluation() -> None:
    watch = Watch()
    assert watch.latest is None
    assert watch.take() is None


def test_only_the_latest_is_kept() -> None:
    watch = Watch()
    for number in (1, 2, 3):
        watch.show(progress(number, []))
    assert watch.latest is not None
    assert (watch.latest.evaluations, watch.latest.fraction) == (3, 0.3)
    assert (watch.latest.width, watch.latest.height) == (64, 48)


def test_a_preview_is_made_once_for_each_time_that_it_is_asked_for() -> None:
    made: list[int] = []
    watch = Watch()
    watch.show(progress(1, made))
    watch.ask()
    watch.ask()
    for number in (2, 3):
        watch.show(progress(number, made))
    assert made == [2]
    preview = watch.take()
    assert preview is not None
    assert preview[0, 0, 0] == 2
    assert watch.take() is None
    watch.ask()
    watch.show(progress(4, made))
    assert made == [2, 4]
