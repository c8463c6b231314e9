"""Pictures of every format, mutated at random."""

import random
from collections.abc import Iterator
from functools import cache

import numpy as np
from PIL import Image

from devtools.bombs import saved
from service.images import Decoded, ImageError, Metadata, decode
from service.images.colour import srgb_profile
from service.images.metadata import packet

KINDS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF")


@cache
def originals(kind: str) -> list[bytes]:
    """Valid files that take different ways through a decoder: modes, metadata, animations."""
    y, x = np.mgrid[0:48, 0:64]
    photo = Image.fromarray(np.stack([4 * x, 5 * y, 200 - 2 * x - y], axis=-1).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x013B] = exif[0x8298] = "Ada Noon"
    extras = {"exif": exif, "icc_profile": srgb_profile()}
    alpha = photo.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(photo.size))
    animation = {"save_all": True, "append_images": [photo.rotate(90), photo.rotate(180)]}
    if kind == "JPEG":
        modes = [photo.convert("CMYK"), photo.convert("L")]
        return [
            saved(photo, kind, **extras),
            saved(photo, kind, progressive=True),
            *(saved(mode, kind) for mode in modes),
        ]
    if kind == "PNG":
        levels = np.asarray(photo.convert("L")).astype(np.uint16) * 257
        return [
            saved(photo, kind, **extras),
            saved(alpha, kind),
            saved(photo.quantize(16), kind, transparency=3),
            saved(Image.fromarray(levels), kind),
            saved(photo, kind, **animation),
        ]
    if kind == "TIFF":
        xmp = {700: packet(Metadata(("Ada Noon",), "rights", "credit"))}
        return [
            saved(photo, kind, tiffinfo=xmp, **extras),
            *(
                saved(photo, kind, compression=packing)
                for packing in ("tiff_lzw", "tiff_adobe_deflate", "packbits")
            ),
            saved(alpha, kind, compression="tiff_lzw"),
            saved(photo.quantize(16), kind),
            saved(photo, kind, **animation),
        ]
    if kind == "HEIF":
        return [saved(photo, kind, **extras), saved(alpha, kind)]
    return [saved(photo, kind, **extras), saved(alpha, kind), saved(photo, kind, **animation)]


def mutated(kind: str, generator: random.Random) -> bytes:
    """A file of this kind, changed."""
    return changed(generator.choice(originals(kind)), generator)


def changed(original: bytes, generator: random.Random) -> bytes:
    """The same with some of its bytes changed, extremes put in, parts cut, doubled or removed."""
    data = bytearray(original)
    # Half of the time where headers are: changed pixels alone are rarely noticed.
    reach = len(data) if generator.random() < 0.5 else min(len(data), 400)
    for _ in range(generator.choice((1, 1, 2, 4, 16))):
        at = generator.randrange(reach)
        match generator.randrange(8):
            case 0 | 1 | 2:
                data[at : at + 1] = generator.randbytes(1)
            case 3:
                data[at : at + 1] = bytes([data[at] ^ 1 << generator.randrange(8)]) if at < len(data) else b""
            case 4:
                width = generator.choice((1, 2, 4))
                data[at : at + width] = generator.choice((b"\x00", b"\xff", b"\x7f", b"\x80")) * width
            case 5:
                data[at:at] = data[at : at + generator.randrange(1, 64)]
            case 6:
                del data[at : at + generator.randrange(1, 32)]
            case _:
                del data[generator.randrange(at, len(data) + 1) :]
        reach = min(reach, len(data)) or 1
    return bytes(data)


def files(kinds: tuple[str, ...], start: int, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Mutated files with their kind: number `start` and the following ones of this seed."""
    for number in range(start, start + count):
        kind = kinds[number % len(kinds)]
        yield kind, mutated(kind, random.Random(f"{seed}/{number}"))


def outcome(data: bytes, *, heic: bool = False) -> str:
    """What becomes of a file: "a picture", the name of our error, or that of one which is not ours."""
    try:
        decoded: Decoded = decode(data, heic=heic)
    except ImageError as error:
        return type(error).__name__
    except Exception as error:  # what this looks for
        return f"NOT OURS: {error!r}"
    expected = (3, decoded.size[1], decoded.size[0])
    return "a picture" if tuple(decoded.rgb.shape) == expected else "NOT OURS: wrong shape"
