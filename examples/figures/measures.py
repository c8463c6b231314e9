"""Numbers about pictures, in steps of 1/255 and in pixels."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

_LUMA = np.array([0.2126, 0.7152, 0.0722])


def upright(original: Image.Image) -> Image.Image:
    """As its Exif orientation says, RGB."""
    return ImageOps.exif_transpose(original).convert("RGB")


def as_large(original: Image.Image, picture: Image.Image) -> Image.Image:
    """An original, upright, in the size of the picture that was made from it."""
    return upright(original).resize(picture.size, Image.Resampling.LANCZOS)


def mean_error(picture: Image.Image, original: Image.Image) -> float:
    """Mean absolute difference of two pictures of one size, in steps of 1/255."""
    return float(np.abs(_pixels(picture) - _pixels(original)).mean())


def psnr(picture: Image.Image, original: Image.Image) -> float:
    """Peak signal-to-noise ratio of two pictures of one size, dB; infinite where they are equal."""
    squared = float(np.square(_pixels(picture) - _pixels(original)).mean())
    return math.inf if squared == 0 else 10 * math.log10(255**2 / squared)


def correlation_length(picture: Image.Image) -> float:
    """How far its structures reach, in pixels: where the autocorrelation of its luma has fallen to 1/e.

    The autocorrelation is that of the picture laid on zeros, each lag divided by its number of pairs, and averaged
    over all directions. 0 for a picture of one colour; the short side's half where it never falls so far.
    """
    luma = _pixels(picture) @ _LUMA
    luma -= luma.mean()
    if not luma.any():
        return 0.0
    height, width = luma.shape
    padded = (2 * height, 2 * width)
    spectrum = np.abs(np.fft.rfft2(luma, padded)) ** 2
    pairs = np.fft.irfft2(np.abs(np.fft.rfft2(np.ones_like(luma), padded)) ** 2, padded)
    correlation = np.fft.irfft2(spectrum, padded) / np.maximum(pairs, 1)
    rows, columns = (np.minimum(np.arange(n), n - np.arange(n)) for n in padded)
    lags = np.rint(np.hypot(rows[:, None], columns)).astype(int)
    reach = min(height, width) // 2
    inside = lags <= reach
    sums = np.bincount(lags[inside], correlation[inside])
    profile = sums / np.bincount(lags[inside]) / correlation[0, 0]
    below = np.flatnonzero(profile < 1 / math.e)
    if not len(below):
        return float(reach)
    end = int(below[0])
    return end - 1 + float((profile[end - 1] - 1 / math.e) / (profile[end - 1] - profile[end]))


def _pixels(picture: Image.Image) -> NDArray[np.float64]:
    return np.asarray(picture.convert("RGB"), dtype=np.float64)
