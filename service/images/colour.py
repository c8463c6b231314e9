"""Colour management: whatever profile a picture carries, what comes out is sRGB."""

import functools
import io
from typing import Literal

from PIL import Image, ImageCms

Conversion = Literal["none", "converted", "ignored"]

# Which of Pillow's modes the colours of a profile come in (ICC.1:2022, table 19: data colour space).
_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
# Tags that are made of multi-process elements (ICC.1:2022, 9.2.1 to 9.2.10).
_ELEMENTS = {way + str(intent).encode() for way in (b"B2D", b"D2B") for intent in range(4)}
# Relative colorimetric with black point compensation: what browsers and phones do with photographs.
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION


@functools.cache
def srgb_profile() -> bytes:
    """The sRGB profile (IEC 61966-2-1) that goes into every result: the same bytes always."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # Bytes 24-35 are the time of creation, which is now: the same request would not give the same bytes.
    profile[24:36] = b"".join(number.to_bytes(2, "big") for number in (2000, 1, 1, 0, 0, 0))
    return bytes(profile)


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, Conversion]:
    """Convert the colours of a picture to sRGB.

    Args:
        image: mode L, RGB or CMYK.
        profile: its ICC profile.

    Returns:
        The picture in mode RGB, and what was done: "none" if there is no profile or it is sRGB itself, "ignored"
        if it is broken or belongs to other colours than the picture has.
    """
    if not profile:
        return image.convert("RGB"), "none"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(_without_elements(profile)))
        mode = _MODES[source.profile.xcolor_space]
        if mode != image.mode and "CMYK" in (mode, image.mode):
            return image.convert("RGB"), "ignored"
        if mode == "L" and image.mode == "RGB":
            return image.convert("RGB"), "ignored"
        target = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
        transform = ImageCms.buildTransform(source, target, mode, "RGB", _INTENT, _FLAGS)
        if mode == "RGB" and _changes_nothing(transform):
            return image.convert("RGB"), "none"
        converted = transform.apply(image.convert(mode))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, KeyError):
        return image.convert("RGB"), "ignored"
    return converted, "converted"


def _without_elements(profile: bytes) -> bytes:
    """A profile without tags of multi-process elements: the tables and curves that must be there too are left.

    The elements of such a tag (ICC.1:2022, 10.16) may all be one place in the file: a profile of a kilobyte has
    thousands of them, and each is applied to each pixel. Cameras and monitors write none.
    """
    table = bytearray(profile)
    count = min(int.from_bytes(profile[128:132], "big"), len(profile) // 12)
    for number, at in enumerate(range(132, 132 + 12 * count, 12)):
        if profile[at : at + 4] in _ELEMENTS:
            table[at : at + 4] = b"\xff" + number.to_bytes(3, "big")  # no two tags may have one name
    return bytes(table)


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether the profile is sRGB under one of its many names: then the pixels stay exactly as they are."""
    probe = Image.new("RGB", (9, 81))
    levels = [round(255 * step / 8) for step in range(9)]
    probe.putdata([(r, g, b) for r in levels for g in levels for b in levels])
    before, after = probe.tobytes(), transform.apply(probe).tobytes()
    return max(abs(a - b) for a, b in zip(before, after, strict=True)) <= 1
