"""HEIC, switched on and off."""

import builtins
import io
from collections.abc import Generator
from typing import Any

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

from devtools.bombs import claiming
from devtools.mutations import files, outcome
from service.images import BrokenImage, ImageError, TooManyPixels, TooSmall, UnsupportedFormat, decode
from service.images.heic import _plugin


def heic(image: Image.Image, **options: Any) -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(image).save(out, quality=-1, chroma=444, **options)
    return out.getvalue()


@pytest.fixture
def fresh() -> Generator[None, None, None]:
    """As if no HEIC had been read yet."""
    _plugin.cache_clear()
    yield
    _plugin.cache_clear()


def test_it_is_off_unless_asked_for(photo: Image.Image) -> None:
    with pytest.raises(UnsupportedFormat, match=r"the file is HEIC: send JPEG, PNG, WebP, AVIF or TIFF$"):
        decode(heic(photo))


def test_its_pixels_are_right(photo: Image.Image, pixels: NDArray[np.uint8]) -> None:
    decoded = decode(heic(photo), heic=True)
    assert (decoded.format, decoded.size, decoded.alpha) == ("heic", (32, 24), None)
    assert np.abs(decoded.rgb.permute(1, 2, 0).numpy().astype(int) - pixels).max() <= 3


def test_its_alpha_is_kept(photo: Image.Image) -> None:
    image = photo.convert("RGBA")
    image.putalpha(100)
    alpha = decode(heic(image), heic=True).alpha
    assert alpha is not None
    assert (alpha == 100).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_upright_once(orientation: int, photo: Image.Image) -> None:
    """The container says how; Exif says it again, and does not count."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(heic(photo, exif=exif.tobytes()), heic=True)
    photo = photo.copy()
    photo.getexif()[0x0112] = orientation
    out = io.BytesIO()
    photo.save(out, "PNG", exif=photo.getexif())
    expected = decode(out.getvalue())
    assert decoded.size == expected.size
    assert (decoded.rgb.int() - expected.rgb.int()).abs().max() <= 3


def test_what_else_is_wrong_with_it_is_told_as_of_others(photo: Image.Image) -> None:
    data = heic(photo)
    with pytest.raises(TooManyPixels):
        decode(data, max_pixels=32 * 24 - 1, heic=True)
    with pytest.raises(TooSmall):
        decode(data, min_side=25, heic=True)
    with pytest.raises(BrokenImage, match="the HEIC file is damaged"):
        decode(data[: len(data) // 2], heic=True)
    with pytest.raises(UnsupportedFormat, match="the file is GIF: send JPEG, PNG, WebP, AVIF, TIFF or HEIC"):
        decode(b"GIF89a", heic=True)


def test_one_that_is_larger_than_it_says_is_broken() -> None:
    with pytest.raises(BrokenImage):
        decode(claiming(heic(Image.new("RGB", (1600, 1600))), 64, 64), heic=True)


def test_mutated_files_are_a_picture_or_one_of_our_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "devtools.mutations.originals", lambda kind: [heic(Image.new("RGB", (64, 48), "teal"))]
    )
    outcomes = {outcome(data, heic=True) for _, data in files(("HEIF",), 0, 200, seed=1)}
    assert {"a picture", "BrokenImage"} <= outcomes
    assert outcomes <= {"a picture", *(each.__name__ for each in ImageError.__subclasses__())}


@pytest.mark.usefixtures("fresh")
def test_without_the_extra_the_four_formats_work(photo: Image.Image, save: Any, monkeypatch: Any) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        assert not name.startswith("pillow_heif")
        return real(name, *args, **kwargs)

    data = heic(photo)
    monkeypatch.setattr(builtins, "__import__", without)
    for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
        assert decode(save(photo, kind)).size == (32, 24)
    with pytest.raises(UnsupportedFormat):
        decode(data)


@pytest.mark.usefixtures("fresh")
def test_asking_for_it_without_the_extra_says_what_to_install(
    photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.images.heic.why_no_heic", lambda: "pillow-heif is not installed")
    with pytest.raises(ImportError, match="pillow-heif is not installed"):
        decode(heic(photo), heic=True)
