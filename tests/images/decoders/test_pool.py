"""A file that breaks its decoder costs its own request an answer, and nobody else anything."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
import torch

from devtools import bad_child
from devtools.serving import BREAKABLE, picture, wait_until
from service.images import BrokenImage, TooManyPixels, UnsupportedFormat, decode
from service.images.decoders import Pool, pool
from service.images.errors import TooCostly, TooManyPixelsTogether
from service.images.labels import read_labels


@pytest.fixture(scope="module")
def decoders() -> Generator[Pool, None, None]:
    """Two, which files can break."""
    decoders = Pool(program=BREAKABLE, seconds=1.0)
    decoders.start()
    yield decoders
    decoders.close()


@pytest.fixture(autouse=True)
def whole(decoders: Pool) -> Generator[None, None, None]:
    """After each test there are two again, and they decode."""
    yield
    wait_until(lambda: decoders.idle == pool.SIZE)
    with decoders.borrow() as first, decoders.borrow() as second:
        assert first.picture(picture()).size == second.picture(picture()).size == (40, 30)


@pytest.mark.parametrize("image_format", ["png", "jpeg", "webp", "avif"])
def test_a_picture_is_the_same_on_both_sides_of_the_wall(decoders: Pool, image_format: str) -> None:
    data = picture(color="tomato", image_format=image_format)
    here = decode(data)
    with decoders.borrow() as decoder:
        there = decoder.picture(data)
    assert torch.equal(here.rgb, there.rgb)
    assert there.alpha is None
    assert (here.format, here.size, here.icc) == (there.format, there.size, there.icc)


def test_labels_are_the_same_on_both_sides_of_the_wall(decoders: Pool) -> None:
    data = picture(color="tomato")
    here = read_labels(decode(data, managed=False), 20)
    with decoders.borrow() as decoder:
        there = decoder.labels(data, 20)
    assert torch.equal(here.codes, there.codes)
    assert (here.colours, here.size) == (there.colours, there.size)


def test_pictures_outlive_their_decoder(decoders: Pool) -> None:
    with decoders.borrow() as decoder:
        first = decoder.picture(picture(color="#010203"))
        decoder.picture(picture(color="white"))
    assert first.rgb[:, 0, 0].tolist() == [1, 2, 3]
    first.rgb.zero_()  # it may be written to


def test_what_is_wrong_with_a_file_is_told_across_the_wall(decoders: Pool) -> None:
    with decoders.borrow(max_pixels=5000) as decoder:
        with pytest.raises(UnsupportedFormat, match="not a picture that the service can read"):
            decoder.picture(b"text")
        with pytest.raises(TooManyPixels, match="send a smaller one") as caught:
            decoder.picture(picture(100, 60))
        assert (caught.value.limit, caught.value.actual) == (5000, 6000)
        decoder.picture(picture(70, 70))


@pytest.mark.parametrize(
    ("what", "error"),
    [
        (bad_child.CRASHES, BrokenImage),
        (bad_child.LOOPS, TooCostly),
        (bad_child.EATS, TooCostly),
        (bad_child.IS_KILLED, MemoryError),
    ],
)
def test_a_file_that_breaks_its_decoder_is_refused(
    decoders: Pool, what: bytes, error: type[Exception]
) -> None:
    with decoders.borrow() as other:
        with decoders.borrow() as decoder, pytest.raises(error):
            decoder.picture(picture() + what)
        assert other.picture(picture()).size == (40, 30)


def test_the_log_says_whose_file_broke_a_decoder_and_which(
    decoders: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(BrokenImage),
        decoders.borrow(name="id-7") as decoder,
    ):
        decoder.picture(picture() + bad_child.CRASHES)
    (record,) = (vars(record) for record in caplog.records)
    assert record["message"] == "a decoder ended with SIGSEGV over a file of a request"
    assert (record["request_id"], record["format"]) == ("id-7", "PNG")
    assert len(record["sha256"]) == 64
    assert "Segmentation fault" in record["complaint"]


class GoneError(Exception):
    """Nobody waits any more."""


def test_nothing_is_decoded_for_a_client_that_has_gone(decoders: Pool) -> None:
    looks = iter([None] * 5)

    def look() -> None:
        if next(looks, GoneError) is GoneError:
            raise GoneError

    with pytest.raises(GoneError), decoders.borrow(look) as decoder:
        decoder.picture(picture() + bad_child.LOOPS)


def test_who_waits_for_a_decoder_may_go(decoders: Pool) -> None:
    def look() -> None:
        raise GoneError

    with decoders.borrow(), decoders.borrow(), pytest.raises(GoneError), decoders.borrow(look):
        pytest.fail("there were only two")


def test_a_decoder_that_died_while_nobody_needed_it_is_replaced(decoders: Pool) -> None:
    for process in decoders._idle:
        os.kill(process.pid, signal.SIGKILL)
        process._child.wait()
    with decoders.borrow() as decoder:
        assert decoder.picture(picture()).size == (40, 30)


def test_the_pictures_of_one_request_have_one_budget_of_pixels(decoders: Pool) -> None:
    with decoders.borrow(max_pixels=5000) as decoder:
        for _ in range(pool.PICTURES):
            decoder.picture(picture(70, 70))
        with pytest.raises(TooManyPixelsTogether, match="send smaller ones, or fewer"):
            decoder.picture(picture(70, 70))
        decoder.picture(picture(70, 70), counted=False)
    with decoders.borrow(max_pixels=5000) as decoder:  # of the next request
        decoder.picture(picture(70, 70))


def test_a_large_jpeg_counts_as_what_is_left_of_it(decoders: Pool) -> None:
    large = picture(120, 120, image_format="jpeg")
    with decoders.borrow(max_pixels=5000) as decoder:
        for _ in range(pool.PICTURES + 1):
            assert decoder.picture(large, wanted=16).size == (120, 120)


def test_decoders_know_neither_torch_nor_the_environment(decoders: Pool) -> None:
    with decoders.borrow() as decoder:
        process = Path(f"/proc/{decoder._process.pid}")
        assert "torch" not in (process / "maps").read_text()
        names = {line.partition("=")[0] for line in (process / "environ").read_text().split("\0")}
    known = {"PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "LANG", "PYTHONPATH", "OPENBLAS_NUM_THREADS"}
    assert names - {""} <= known


def test_no_decoder_is_waited_for_where_none_can_be_started() -> None:
    broken = Pool(program=(sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(MemoryError, match="no decoder can be started"), broken.borrow():
        pytest.fail("there is none")
    broken.close()


def test_many_requests_share_the_decoders(decoders: Pool) -> None:
    sizes = []

    def read() -> None:
        with decoders.borrow() as decoder:
            sizes.append(decoder.picture(picture()).size)

    threads = [threading.Thread(target=read) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [(40, 30)] * 12
