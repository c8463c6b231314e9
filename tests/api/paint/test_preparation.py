"""What happens to the pictures of a request before it waits for the engine."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from devtools.serving import FakeModel, Gate, picture, wait_until
from service.api.context import Service
from service.api.paint import preparation
from service.machine.free_memory import RESERVE
from service.style.memory.pictures import held
from service.style.options import Options
from tests.api.paint.test_problems import problem
from tests.api.paint.test_stylize import file, form, post, value

PREPARERS = 2


class Held:
    """Holds whoever is prepared.

    Attributes:
        inside: one for each of them.
        gate: that they wait at.
    """

    def __init__(self) -> None:
        self.inside: list[None] = []
        self.gate = Gate()

    def __call__(self) -> None:
        self.inside.append(None)
        self.gate(0)


@pytest.fixture
def held_up(model: FakeModel) -> Generator[Held, None, None]:
    model.prepare = held_up = Held()
    yield held_up
    held_up.gate.opened.set()


@contextmanager
def posted(client: FlaskClient, count: int = 1) -> Generator[list[TestResponse], None, None]:
    """Requests on threads of their own; their answers are there afterwards."""
    answers: list[TestResponse] = []
    app = client.application
    threads = [threading.Thread(target=lambda: answers.append(post(app.test_client()))) for _ in range(count)]
    for thread in threads:
        thread.start()
    yield answers
    for thread in threads:
        thread.join(30)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_memory_that_runs_out_while_it_is_prepared_is_its_503_and_the_next_one_works(
    client: FlaskClient, service: Service, model: FakeModel, error: Exception
) -> None:
    def run_out() -> None:
        raise error

    model.prepare = run_out
    answer = post(client)
    problem(answer, 503, "out-of-memory")
    assert int(answer.headers["Retry-After"]) >= 1
    assert value(service, "stylize_oom_total") == 1
    assert value(service, "stylize_requests_total", outcome="oom") == 1
    assert service.admission.taken == 0
    model.prepare = lambda: None
    assert post(client).status_code == 200


def test_any_other_error_while_it_is_prepared_is_one_of_the_service(
    client: FlaskClient, service: Service, model: FakeModel
) -> None:
    def fail() -> None:
        raise RuntimeError("a secret of the inside")

    model.prepare = fail
    body = problem(post(client), 500, "internal-error")
    assert "secret" not in str(body)
    assert value(service, "stylize_oom_total") == 0


def test_while_some_are_prepared_others_are_decoded_and_wait(
    client: FlaskClient, service: Service, held_up: Held
) -> None:
    def decoded() -> float:
        return value(service, "stylize_working_pixels_count", image="content")

    with posted(client, PREPARERS + 1) as answers:
        wait_until(lambda: decoded() == PREPARERS + 1)
        broken = form() | {"content": file(b"no picture")}
        problem(post(client, broken), 415, "unsupported-image")
        assert answers == []
        held_up.gate.opened.set()
    assert [answer.status_code for answer in answers] == [200] * (PREPARERS + 1)


def test_so_many_are_prepared_at_once_and_no_more(
    client: FlaskClient, service: Service, model: FakeModel
) -> None:
    inside, most, lock = 0, 0, threading.Lock()
    full = threading.Barrier(PREPARERS)

    def prepare() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        full.wait(30)
        with lock:
            inside -= 1

    model.prepare = prepare
    with posted(client, 2 * PREPARERS) as answers:
        pass
    assert [answer.status_code for answer in answers] == [200] * (2 * PREPARERS)
    assert most == PREPARERS


def test_nobody_is_prepared_for_whose_client_has_gone(
    client: FlaskClient, service: Service, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "client_gone", lambda _: True)
    prepared: list[None] = []
    model.prepare = lambda: prepared.append(None)
    assert post(client).status_code == 499
    assert value(service, "stylize_requests_total", outcome="client_gone") == 1
    assert service.admission.taken == 0
    assert prepared == []


def test_a_client_that_goes_while_it_waits_for_that_frees_its_place(
    client: FlaskClient, service: Service, held_up: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    with posted(client, PREPARERS):
        wait_until(lambda: len(held_up.inside) == PREPARERS)
        monkeypatch.setattr(preparation, "client_gone", lambda _: True)
        assert post(client).status_code == 499
        assert service.admission.taken == PREPARERS
        held_up.gate.opened.set()


def test_a_deadline_that_passes_meanwhile_is_504(
    client: FlaskClient, service: Service, held_up: Held
) -> None:
    headers = {"X-Request-Timeout": "0.2"}
    with posted(client, PREPARERS):
        wait_until(lambda: len(held_up.inside) == PREPARERS)
        late = client.post("/stylize", data=form(), content_type="multipart/form-data", headers=headers)
        held_up.gate.opened.set()
    problem(late, 504, "deadline-exceeded")
    assert value(service, "stylize_requests_total", outcome="deadline_exceeded") == 1


def test_pictures_that_take_more_than_may_wait_are_refused_before_they_are_prepared(
    client: FlaskClient, model: FakeModel
) -> None:
    prepared: list[None] = []
    model.prepare = lambda: prepared.append(None)
    photograph, artwork, options = (30, 40), (30, 40), Options(size=256)
    model.room = held(photograph, [artwork], options) - 1
    body = problem(post(client), 422, "invalid-request")
    assert body["detail"].startswith("The pictures take ")
    assert body["detail"].endswith(
        " are there for each request: ask for a smaller size or style_scale, or send fewer artworks."
    )
    assert body["errors"] == [{"field": "size", "message": body["detail"]}]
    assert prepared == []
    model.room += 1
    assert post(client).status_code == 200
    assert prepared == [None]


def test_masks_count_too(client: FlaskClient, model: FakeModel) -> None:
    model.room = held((30, 40), [(30, 40)], Options(size=256))
    masked = form() | {"content_mask": file(picture(color="red"))}
    problem(post(client, masked), 422, "invalid-request")


def test_of_artworks_that_are_too_many_no_more_are_decoded_than_that_takes(
    client: FlaskClient, service: Service, model: FakeModel
) -> None:
    model.room = held((30, 40), [(30, 40)] * 3, Options(size=256))
    parts = form() | {"style": [file(picture()) for _ in range(8)]}
    problem(post(client, parts), 422, "invalid-request")
    assert value(service, "stylize_input_images_total", format="png") == 1 + 4


def test_a_photograph_of_4096_px_is_ordinary(client: FlaskClient, model: FakeModel) -> None:
    """With the default options, on a CPU whose painting may take all but the reserve."""
    model.room = RESERVE // 5
    large = picture(4096, 4096)
    answer = post(client, {"content": file(large), "style": file(large)})
    assert answer.status_code == 200
    (work,) = model.painted
    sizes = [(each.shape[-2], each.shape[-1]) for each in (work.content, *work.styles)]
    assert sizes == [(512, 512)] * 2
    assert held(sizes[0], sizes[1:], work.options) < model.room / 40
