"""One pass through the network, forward or back as well, in as little memory as it takes.

Forward alone, nothing is kept but what the next layer needs, and a large picture goes through in strips
(`service.style.network.strips`): what the terms of eq. 7 want to know of a layer, a Gram matrix or a sum of
squares, is a sum over its positions, and so over strips.

For a gradient the responses are needed again on the way back. They are kept, and given up one by one as they have
been used; or those of the first blocks, by far the largest, are not kept but computed a second time, strip by strip.
The first block of VGG has half of all responses and a sixth of the arithmetic.
`service.style.memory.prediction` says what this takes.
"""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from service.style.loss.terms import Term
from service.style.network.strips import Strip, rows_of, strips
from service.style.network.vgg import VGG

Visit = Callable[[str, Tensor, Strip], None]
"""Is shown each layer's name, its response in a strip, (1, N, rows, W), and the strip."""


def responses(network: VGG, x: Tensor, taps: Iterable[str]) -> dict[str, Tensor]:
    """As `network(x, taps)` for one picture, (1, 3, H, W), in less memory."""
    wanted = set(taps)
    whole: dict[str, Tensor] = {}

    def keep(name: str, response: Tensor, strip: Strip) -> None:
        if name in wanted:
            if name not in whole:
                whole[name] = _empty(response, strip.height, x.dtype)
            whole[name][:, :, strip.rows] = response

    _sweep(network, x, wanted, keep)
    return whole


def losses(network: VGG, x: Tensor, terms: Sequence[Term]) -> list[Tensor]:
    """The weighted loss of each term at the picture x, (1, 3, H, W) in [0, 1]: scalars in the dtype of x."""
    tally = _Tally(terms, x.dtype)
    _sweep(network, x, (term.layer for term in terms), tally.add)
    return tally.losses()


def visit(network: VGG, x: Tensor, taps: Iterable[str], look: Visit) -> None:
    """Show the responses of the layers `taps` at the picture x, (1, 3, H, W) in [0, 1], in the dtype of x."""
    wanted = set(taps)

    def look_at(name: str, response: Tensor, strip: Strip) -> None:
        if name in wanted:
            look(name, response.to(x.dtype), strip)

    _sweep(network, x, wanted, look_at)


def loss_and_gradient(
    network: VGG, x: Tensor, terms: Sequence[Term], recomputed: int = 0
) -> tuple[Tensor, Tensor]:
    """The sum of the terms at the picture x, and its gradient.

    This is back-propagation by hand. It equals autograd's (tests hold them together), and is faster.

    Args:
        network: the features.
        x: (1, 3, H, W), RGB in [0, 1], or grey, (1, 1, H, W).
        terms: at least one.
        recomputed: how many blocks of the network, the first ones, are computed a second time on the way back.

    Returns:
        The loss, a scalar (on the device of x), and the gradient, of the shape of x.
    """
    tally = _Tally(terms, network.dtype)
    blocks = network.blocks(term.layer for term in terms)
    rows = rows_of(x.shape[-1])
    inputs: list[Tensor] = []  # of the blocks that are computed again
    kept: list[dict[str, Tensor]] = []  # the responses of the others
    h = network.enter(x)
    for number, layers in enumerate(blocks):
        last = number + 1 == len(blocks)
        if number < recomputed:
            inputs.append(h)
            h = _sweep_block(network, layers, h, rows, tally.add, pool=not last)
            continue
        kept.append({})
        for name in layers:
            pooled = None
            if name == layers[-1] and not last:
                response, pooled = network.respond_and_pool(name, h)
            else:
                response = network.respond(name, h)
            kept[-1][name] = response
            tally.add(name, response, _whole(response))
            h = response if pooled is None else pooled
        del response, pooled
    del h  # on the way back, what has been passed is freed
    gradient: Tensor | None = None
    for layers in reversed(blocks):
        if kept:
            found = kept.pop()
            gradient = _pull(network, found, gradient, tally, _whole(found[layers[-1]]))
        else:
            gradient = _pull_again(network, layers, inputs.pop(), gradient, tally, rows)
    assert gradient is not None
    # A grey picture's one channel is seen three times.
    return sum(tally.losses(), start=x.new_zeros(())), network.leave(gradient).sum_to_size(x.shape)


class _Tally:
    """What the terms have gathered of their layers so far, strip by strip."""

    def __init__(self, terms: Sequence[Term], dtype: torch.dtype) -> None:
        self._terms = terms
        self._dtype = dtype
        self._sums: dict[int, Tensor] = {}

    def add(self, name: str, response: Tensor, strip: Strip) -> None:
        for number, term in enumerate(self._terms):
            if term.layer == name:
                share = term.share(response.to(self._dtype), strip)
                self._sums[number] = self._sums[number] + share if number in self._sums else share

    def losses(self) -> list[Tensor]:
        return [term.loss_of(self._sums[number]) for number, term in enumerate(self._terms)]

    def gradient(self, name: str, response: Tensor, strip: Strip) -> Tensor | None:
        """Of the loss with respect to a response, in one strip; None where no term looks at this layer."""
        total: Tensor | None = None
        for number, term in enumerate(self._terms):
            if term.layer == name:
                part = term.gradient(response, self._sums[number], strip)
                total = part if total is None else total + part
        return None if total is None else total.to(self._dtype)


def _sweep(network: VGG, x: Tensor, taps: Iterable[str], look: Visit) -> None:
    """Forward through all blocks, up to the deepest tap."""
    blocks = network.blocks(taps)
    h = network.enter(x)
    for number, layers in enumerate(blocks):
        h = _sweep_block(network, layers, h, rows_of(x.shape[-1]), look, pool=number + 1 < len(blocks))


def _sweep_block(
    network: VGG, layers: Sequence[str], h: Tensor, rows: int, look: Visit, *, pool: bool
) -> Tensor:
    """Forward through one block, whose input is h; its pooled output, or h again where that is not wanted."""
    pooled = h
    for strip in strips(h.shape[2], rows, len(layers), wrap=network.padding.rows == "wrap"):
        response = strip.take(h)
        for name in layers:
            response = network.respond(name, response)
            look(name, response[:, :, strip.inner], strip)
        if pool:
            part = network.pool(response[:, :, strip.inner])
            if pooled is h:
                pooled = _empty(part, h.shape[2] // 2, part.dtype)
            pooled[:, :, strip.pooled] = part
    return pooled


def _pull(
    network: VGG, found: dict[str, Tensor], above: Tensor | None, tally: _Tally, strip: Strip
) -> Tensor:
    """Back through one block, or a strip of it.

    Args:
        network: the features.
        found: the responses of its layers; each is freed as soon as it has been used.
        above: the gradient with respect to the block's pooled output. None: the block is the last one.
        tally: what its terms gathered.
        strip: whose own rows the terms look at.

    Returns:
        The gradient with respect to the block's input.
    """
    gradient: Tensor | None = None
    for name in reversed(list(found)):
        response = found.pop(name)
        winograd = network.winograd(name, response)
        if winograd is not None and network.pooling == "average" and strip.is_whole:
            # It does all that is below as well.
            own = tally.gradient(name, response, strip)
            known = [each for each in (above if gradient is None else gradient, own) if each is not None]
            gradient = winograd.adjoint(known[0], response, network.padding, *known[1:])
            continue
        if above is not None and gradient is None:
            # Made here, not by the caller, whose variable would keep it to the end of the block.
            unpooled = network.unpool(above[:, :, strip.pooled], response[:, :, strip.inner])
            gradient = _with_halo(unpooled, response, strip)
            del unpooled
        own = tally.gradient(name, response[:, :, strip.inner], strip)
        if gradient is None:
            assert own is not None, "the deepest layer is one that a term looks at"
            gradient = _with_halo(own, response, strip)
        elif own is not None:
            gradient[:, :, strip.inner] += own
        del own
        if winograd is not None:
            gradient = winograd.adjoint(gradient, response, network.padding)
            continue
        # The ReLU's, in place; afterwards the response is not needed any more.
        torch.ops.aten.threshold_backward.grad_input(gradient, response, 0, grad_input=gradient)
        del response
        gradient = network.adjoin(name, gradient)
    assert gradient is not None
    return gradient


def _pull_again(
    network: VGG, layers: Sequence[str], h: Tensor, gradient: Tensor | None, tally: _Tally, rows: int
) -> Tensor:
    """Back through one block whose responses were not kept.

    Args:
        network: the features.
        layers: of the block.
        h: its input.
        gradient: with respect to its pooled output. None: the block is the last one.
        tally: what its terms gathered.
        rows: of a strip.

    Returns:
        The gradient with respect to h.
    """
    incoming = torch.zeros_like(h)
    for strip in strips(h.shape[2], rows, len(layers), wrap=network.padding.rows == "wrap"):
        found: dict[str, Tensor] = {}
        response = strip.take(h)
        for name in layers:
            response = found[name] = network.respond(name, response)
        del response
        strip.give(incoming, _pull(network, found, gradient, tally, strip))
    return incoming


def _with_halo(gradient: Tensor, response: Tensor, strip: Strip) -> Tensor:
    """The gradient of a strip's own rows, with zeros where its neighbours' are."""
    if gradient.shape == response.shape:
        return gradient
    padded = torch.zeros_like(response)
    padded[:, :, strip.inner] = gradient
    return padded


def _whole(response: Tensor) -> Strip:
    return strips(response.shape[2], max(2, response.shape[2]), 0)[0]


def _empty(like: Tensor, height: int, dtype: torch.dtype) -> Tensor:
    """Room for all rows of a response of which `like` are some."""
    shape = (1, like.shape[1], height, like.shape[3])
    return torch.empty(shape, dtype=dtype, device=like.device, memory_format=torch.channels_last)
