import io

import numpy as np
import pytest
import torch
from PIL import Image

from service.images import Metadata, decode, encode

pyvips = pytest.importorskip("pyvips", reason="no library here that reads 16 bits but libvips")


def random16(channels: int, height: int = 130, width: int = 37) -> torch.Tensor:
    levels = np.random.default_rng(0).integers(0, 65536, (channels, height, width), np.uint16)
    return torch.from_numpy(levels)


def read16(data: bytes) -> torch.Tensor:
    """uint16 (channels, H, W)."""
    pixels = pyvips.Image.new_from_buffer(data, "").numpy()
    assert pixels.dtype == np.uint16
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


def test_sixteen_bits_come_back_exactly() -> None:
    picture = random16(3)
    assert torch.equal(read16(encode(picture, "png")), picture)


def test_so_does_a_picture_that_filters_help_with() -> None:
    ramp = np.arange(0, 65536, 16, dtype=np.uint16).reshape(1, 64, 64).repeat(3, 0)
    data = encode(torch.from_numpy(ramp), "png")
    assert torch.equal(read16(data), torch.from_numpy(ramp))
    assert len(data) < ramp.nbytes / 10


def test_transparency_has_its_eight_bits_and_hides_nothing() -> None:
    picture = random16(3)
    alpha = torch.arange(130 * 37).remainder(256).byte().view(1, 130, 37)
    back = read16(encode(picture, "png", alpha=alpha))
    assert torch.equal(back[3].int(), 257 * alpha[0].int())
    assert torch.equal(back[:3].int(), picture.int() * (alpha > 0))


def test_pillow_reads_it_and_its_metadata() -> None:
    data = encode(random16(3), "png", metadata=Metadata(("Ada",), dpi=300))
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.info["icc_profile"]
    assert decode(data).metadata == Metadata(("Ada",), dpi=300)


def test_other_formats_have_no_sixteen_bits() -> None:
    with pytest.raises(ValueError, match="jpeg has no 16 bits: choose png"):
        encode(random16(3), "jpeg")
