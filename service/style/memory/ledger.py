"""The bytes that one pass through the network holds, forward alone or back as well, tensor by tensor.

It follows `evaluation` step by step; `memory` adds what a transfer holds besides.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.style.network.padding import REPEAT, ZERO
from service.style.network.strips import rows_of
from service.style.network.vgg import CHANNELS, VGG
from service.style.work import Size

_COPIES = {ZERO: 0, REPEAT: 1}
"""Others are made in one direction after the other."""


@dataclass(frozen=True)
class Block:
    """Layers between two poolings.

    Attributes:
        layers: their names.
        height, width: of their responses, positions.
        incoming: maps of the block's input.
        outgoing: maps of each response.
        rows: of a strip, at most.
        itemsize: bytes of a number of the network's dtype.
        winograd: the layers whose response is still there when the gradient before them is made.
        fused: whether those also add up their gradients, and undo the pooling, without memory for it.
        copies: of the input of the other layers, together with what stands around it: made one after the other.
    """

    layers: tuple[str, ...]
    height: int
    width: int
    incoming: int
    outgoing: int
    rows: int
    itemsize: int
    winograd: frozenset[str] = frozenset()
    fused: bool = False
    copies: int = 0

    @property
    def numbers(self) -> int:
        """Of a response."""
        return self.outgoing * self.height * self.width

    @property
    def response(self) -> int:
        """Bytes of a response."""
        return self.numbers * self.itemsize

    @property
    def entry(self) -> int:
        """Bytes of the block's input."""
        return self.incoming * self.height * self.width * self.itemsize

    @property
    def strip(self) -> int:
        """Bytes of a response of one strip, with its halo."""
        rows = min(self.height, self.rows + 2 * len(self.layers))
        return self.outgoing * rows * self.width * self.itemsize

    def around(self, layer: str, size: int) -> int:
        """Bytes of the copy of a layer's input, of this size, or of its gradient; the margin itself is left out."""
        return self.copies * size if layer not in self.winograd else 0

    @property
    def margin(self) -> int:
        """Bytes for the gradient around the input of a layer, by Winograd: of kernels, as they are and packed."""
        return 2 * 3 * self.outgoing**2 * self.itemsize if self.copies and self.winograd else 0


def blocks_of(network: VGG, size: Size, taps: Iterable[str]) -> list[Block]:
    """The blocks up to the deepest of the taps, for a picture of this size."""
    channels = (3, *CHANNELS)
    return [
        Block(
            layers=layers,
            height=size[0] >> number,
            width=size[1] >> number,
            incoming=channels[number],
            outgoing=channels[number + 1],
            rows=rows_of(size[1]),
            itemsize=network.dtype.itemsize,
            winograd=network.winograd_layers(layers, size[0] >> number, size[1] >> number),
            fused=network.pooling == "average",
            copies=_COPIES.get(network.padding, 2),
        )
        for number, layers in enumerate(network.blocks(taps))
    ]


def forward(network: VGG, size: Size, taps: set[str]) -> int:
    """Bytes of `evaluation.visit` and its like: a block's input and output, and a strip of two of its responses."""
    blocks = blocks_of(network, size, taps)
    peak = 0
    for block, after in itertools.zip_longest(blocks, blocks[1:]):
        single = (
            0 if block.itemsize == 4 or taps.isdisjoint(block.layers) else 4 * block.strip // block.itemsize
        )
        around = max(block.around(layer, block.strip) for layer in block.layers)
        peak = max(peak, block.entry + (after.entry if after else 0) + 2 * block.strip + max(single, around))
    return peak


def evaluation(
    blocks: Sequence[Block], content: set[str], style: set[str], recomputed: int, regions: int = 0
) -> int:
    """Bytes of `evaluation.loss_and_gradient`, step by step.

    Args:
        blocks: up to the deepest layer in use.
        content: layers that count.
        style: likewise.
        recomputed: how many blocks, the first ones, are computed a second time.
        regions: with a style of their own; 0: the picture is not divided.
    """
    # Of each style layer's response: itself times a guide; the sum of the gradients so far, and with one more.
    guided, added = (1 if regions else 0), (2 if regions > 1 else 0)
    ledger = _Ledger()
    ledger.take(blocks[0].entry)
    for number, block in enumerate(blocks):
        after = blocks[number + 1].entry if number + 1 < len(blocks) else 0
        if number < recomputed:
            ledger.take(after)
            masked = guided * block.strip if not style.isdisjoint(block.layers) else 0
            around = max(block.around(layer, block.strip) for layer in block.layers)
            ledger.pass_by(2 * block.strip + max(masked, _shares(block, block.strip, content), around))
            continue
        for layer in block.layers:
            came = block.entry if layer == block.layers[0] else block.response
            ledger.pass_by(block.around(layer, came) + block.response)
            ledger.take(block.response)
            if layer == block.layers[0]:
                ledger.give(block.entry)
            if layer in content:
                ledger.pass_by(_shares(block, block.response, content))
            if layer in style:
                ledger.pass_by(guided * block.response)
        ledger.take(after)
    gradient = 0
    for number, block in reversed(list(enumerate(blocks))):
        if number < recomputed:
            ledger.take(block.entry)
            # The gradient of its own rows, and the same with the halo.
            own = max(block.strip, _gradients(block, block.strip, content))
            if not style.isdisjoint(block.layers):
                own += added * block.strip
            around = max(block.around(layer, block.strip) for layer in block.layers)
            ledger.pass_by((len(block.layers) + 1) * block.strip + max(own, around) + block.margin)
            ledger.give(gradient + block.entry)
            gradient = block.entry
            continue
        above, gradient = gradient, 0
        last = block.layers[-1]
        if above and not (block.fused and last in block.winograd):
            odd = block.height % 2 or block.width % 2
            ledger.pass_by(block.response + (block.response if odd else above))
            ledger.take(block.response)
            gradient = block.response
        for layer in reversed(block.layers):
            own = block.response if layer in style or layer in content else 0
            ledger.pass_by(
                added * own * (layer in style)
                + own
                + (_gradients(block, block.response, content) if layer in content else 0)
            )
            below = block.entry if layer == block.layers[0] else block.response
            if layer in block.winograd and block.fused:
                ledger.pass_by(own + below + block.margin)
                ledger.give(block.response + gradient)
                ledger.take(below)
                gradient = below
                continue
            if not gradient:
                ledger.take(own)
                gradient = own
            if layer in block.winograd:
                ledger.pass_by(below + block.margin)
            ledger.give(block.response)
            ledger.pass_by(block.around(layer, below) + below)
            ledger.take(below)
            ledger.give(gradient)
            gradient = below
        ledger.give(above)
    return ledger.peak


def _shares(block: Block, response: int, content: set[str]) -> int:
    """Eq. 1 in float32: the response, its difference from the target, and the square of that."""
    single = 4 * response // block.itemsize
    return 0 if content.isdisjoint(block.layers) else (2 if block.itemsize == 4 else 3) * single


def _gradients(block: Block, response: int, content: set[str]) -> int:
    """Eq. 2 in float32: the difference, which becomes the gradient, and the response."""
    single = 4 * response // block.itemsize
    return 0 if content.isdisjoint(block.layers) else (1 if block.itemsize == 4 else 2) * single


class _Ledger:
    """Bytes that are held, and the most that ever were."""

    def __init__(self) -> None:
        self.held = 0
        self.peak = 0

    def take(self, size: int) -> None:
        self.held += size
        self.peak = max(self.peak, self.held)

    def give(self, size: int) -> None:
        self.held -= size

    def pass_by(self, size: int) -> None:
        """Taken and given at once."""
        self.peak = max(self.peak, self.held + size)
