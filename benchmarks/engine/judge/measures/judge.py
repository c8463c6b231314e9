"""All measures of a picture, for one pair at one size."""

from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor

from benchmarks.engine.judge.measures.cfsd import LAYER, cfsd
from benchmarks.engine.judge.measures.colours import colour_distance
from benchmarks.engine.judge.measures.dists import dists
from benchmarks.engine.judge.measures.features import LAST_OF_BLOCKS, l2_pool, max_pool, responses
from benchmarks.engine.judge.measures.frequencies import lines, mesh, weave
from benchmarks.engine.judge.measures.lpips import lpips
from benchmarks.engine.judge.measures.rim import rim
from service.style import resample
from service.style.colour.palette import Palette
from service.style.inputs import Inputs
from service.style.loss.objective import Objective
from service.style.network.vgg import VGG
from service.style.options import Options

MEASURES: Mapping[str, str] = {
    "content": "α L_content",
    "style": "β L_style",
    "total": "eq. 7",
    "lpips": "to the photograph",
    "cfsd": "to the photograph",
    "lines": "of the photograph that are left, 1: all",
    "dists": "to the artwork",
    "colours": "to the artwork's, levels",
    "rim": "against the inside, beyond the photograph's, levels",
    "mesh": "above 0.4 cycles per pixel, levels",
    "weave": "periods of 3 to 8 px in flat parts, levels",
}


class Judge:
    """What pictures of a pair are compared with, computed once.

    Args:
        network: float32.
        photograph, artwork: uint8 (3, h, w).
        size: (height, width) of the pictures.
    """

    def __init__(self, network: VGG, photograph: Tensor, artwork: Tensor, size: tuple[int, int]) -> None:
        self._network = network
        self._pair = photograph, artwork
        self._size = size
        self._photograph = resample.lanczos(photograph, size)

    @torch.inference_mode()
    def measure(self, picture: Tensor) -> dict[str, float]:
        """The MEASURES of uint8 (3, H, W)."""
        losses = self._objective.losses(resample.dequantise(picture))
        seen = self._responses(picture)
        return {
            "content": losses.content,
            "style": losses.style,
            "total": losses.total,
            "lpips": lpips(self._seen, seen),
            "cfsd": cfsd(self._seen[LAYER], seen[LAYER]),
            "lines": lines(self._photograph, picture),
            "dists": dists(self._texture, self._textures(picture)),
            "colours": colour_distance(self._pair[1], picture),
            "rim": rim(picture) - rim(self._photograph),
            "mesh": mesh(picture),
            "weave": weave(self._photograph, picture),
        }

    @cached_property
    def _objective(self) -> Objective:
        """The paper's, in colour, whatever a picture was painted with."""
        inputs = Inputs(self._pair[0], [self._pair[1]])
        colour = Palette(resample.dequantise(self._photograph))
        return inputs.objective(self._network, self._size, Options(size=max(self._size)), palette=colour)

    @cached_property
    def _seen(self) -> dict[str, Tensor]:
        return self._responses(self._photograph)

    @cached_property
    def _texture(self) -> dict[str, Tensor]:
        return self._textures(_covering(self._pair[1], self._size))

    def _responses(self, picture: Tensor) -> dict[str, Tensor]:
        return responses(self._network, resample.dequantise(picture), (*LAST_OF_BLOCKS, LAYER), max_pool)

    def _textures(self, picture: Tensor) -> dict[str, Tensor]:
        x = resample.dequantise(picture)
        return {"picture": x, **responses(self._network, x, LAST_OF_BLOCKS, l2_pool)}


def _covering(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of a picture, (3, *size), resized so that it just covers that."""
    height, width = picture.shape[-2:]
    factor = max(size[0] / height, size[1] / width)
    large = resample.lanczos(picture, (round(height * factor), round(width * factor)))
    top, left = ((there - here) // 2 for there, here in zip(large.shape[-2:], size, strict=True))
    return large[:, top : top + size[0], left : left + size[1]]
