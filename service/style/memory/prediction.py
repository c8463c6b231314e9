"""How many bytes a transfer takes at its peak, computed beforehand, tensor by tensor.

The model follows the code of a transfer (`transfer`, `evaluation`, `lbfgs`, `canvas`, `inputs`) and adds up what is
alive at the same time. With V = 12 H W bytes, a picture in float32, an evaluation at H x W px holds

- 7 V: the start as logits, the point, its gradient, the direction, the trial point, its picture, and the photograph;
- half a V: picture and photograph of the scale before;
- 2 V for each pair of the L-BFGS history: as many as there were evaluations before, up to `graphs.pairs`;
- the content targets, in float32; Gram matrices are less than 2 MiB a layer;
- the artworks and the photograph in 8 bits, as they came and at each scale's size (`copies`), and what came with
  them: masks, a picture to start from. Where a GPU paints, of all that it holds the masks alone;
- with masks, where it is painted, and a guide for each region at each style layer;
- with an anchor, V and a third of it: the anchor, and how much of it is held; and a start that is not the photograph;
- with a mask of strengths, a number for each position of each content layer, and the mask itself at the scale's size
  while they are made, and when the picture is delivered;
- where only the luminance is painted, a third of each V, but the chroma and the bounds in addition;
- what `evaluation.loss_and_gradient` holds on its way (`ledger`): with r bytes for a response of the first block
  (64 H W numbers in the network's dtype), about 4 r where all responses up to conv4_2 are kept, 2.3 r where those of
  the first block are computed again, and 1.4 r, 0.9 r, 0.8 r with each further block; and with several regions up to
  2 r in passing, where their gradients are added up.

Before it, the preparation of the scale resizes the pictures, holds the artworks in float32, matches their colours if
it has to, and sends one after the other forward.

What the process holds anyway, Python, torch and the weights, is not in it. Measured against it: docs/run/memory.md.

On a GPU it is the device's memory that is counted. What Pillow needs to resize a picture is the host's there, and the
history is there from the first evaluation on; everything else is the same.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from service.style import resample
from service.style.memory import ledger, pictures
from service.style.network.vgg import VGG
from service.style.optimiser.graphs import pairs
from service.style.options import Options
from service.style.schedule import pyramid
from service.style.work import Size

SMALLEST = 32
"""Longest side of the smallest result that can be asked for, pixels."""

ALLOCATOR = 96 * 2**20
"""Bytes whatever the size: what the heap does not give back between tensors (40 to 130 MiB were measured), and the
scratch space of a Gram matrix in bfloat16 (25 MiB for 512 maps) or of a convolution (`winograd.MOST_BYTES`)."""

SCRATCH = 64 * 2**20
"""The same on a GPU: of a Gram matrix, and cuDNN's of a convolution. What torch's allocator loses there does not
count as allocated; the bound leaves a tenth for it (`machine.free_memory.free_on_gpu`). A guess, until it is
measured."""


class DoesNotFitError(ValueError):
    """A transfer needs more memory than there is for it. The message names both, and says what would fit."""


@dataclass(frozen=True)
class Need:
    """What a transfer, or one scale of it, takes.

    Attributes:
        peak: bytes.
        recomputed: blocks of the network whose responses are computed a second time, at the largest scale.
        blocks: of the network, up to the deepest layer in use.
    """

    peak: int
    recomputed: int
    blocks: int


def require(
    network: VGG,
    photograph: Size,
    artworks: Sequence[Size],
    options: Options,
    bound: int | None,
    regions: int = 0,
) -> Need:
    """As `need`, for a transfer that is going to be made.

    Raises:
        DoesNotFitError: it would take more than the bound, however much is recomputed.
    """
    found = need(network, photograph, artworks, options, bound, regions)
    if bound is None or found.peak <= bound:
        return found
    size = largest(network, photograph, artworks, options, bound, options.size - 1, regions)
    hint = (
        f"ask for at most {size}"
        if size is not None
        else "send smaller artworks, or ask for a smaller style_scale"
    )
    raise DoesNotFitError(
        f"size {options.size} needs {amount(found.peak)} of memory, and {amount(bound)} are there for a request: "
        f"{hint}"
    )


def largest(
    network: VGG,
    photograph: Size,
    artworks: Sequence[Size],
    options: Options,
    bound: int,
    limit: int,
    regions: int = 0,
) -> int | None:
    """The largest size, up to a limit, whose transfer the bound allows; None: there is none."""
    return _largest(
        lambda size: (
            need(network, photograph, artworks, replace(options, size=size), bound, regions).peak <= bound
        ),
        limit,
    )


def largest_square(network: VGG, bound: int, limit: int, room: int | None = None) -> int | None:
    """As `largest`, by default options, of a square photograph and an artwork as large, reduced to what is needed.

    Args:
        network: that paints.
        bound: bytes for the painting.
        limit: the largest size that may be asked for.
        room: bytes of the host's memory for the pictures while they wait; None: as many as they take.
    """

    def fits(size: int) -> bool:
        square, options = (resample.kept(size), resample.kept(size)), Options(size=size)
        if room is not None and pictures.held(square, [square], options) > room:
            return False
        return need(network, square, [square], options, bound).peak <= bound

    return _largest(fits, limit)


def require_room(
    photograph: Size, artworks: Sequence[Size], options: Options, room: int | None, regions: int = 0
) -> None:
    """As `pictures.held`, for pictures that are going to wait, or those of them that there are so far.

    Raises:
        DoesNotFitError: they would take more than the room, bytes of the host's memory.
    """
    taken = pictures.held(photograph, artworks, options, regions)
    if room is None or taken <= room:
        return
    hint = "size or style_scale, or send fewer artworks" if artworks else "size"
    raise DoesNotFitError(
        f"the pictures take {amount(taken)} of memory or more while they wait, and {amount(room)} are there for each "
        f"request: ask for a smaller {hint}"
    )


def _largest(fits: Callable[[int], bool], limit: int) -> int | None:
    """The largest size from SMALLEST to a limit that fits, where all smaller ones do; None: there is none."""
    size, too_large = SMALLEST - 1, limit + 1
    while too_large - size > 1:
        middle = (size + too_large) // 2
        if fits(middle):
            size = middle
        else:
            too_large = middle
    return size if size >= SMALLEST else None


def amount(size: int) -> str:
    """A number of bytes for people: 512 MiB, 5.2 GiB, 23 GiB."""
    if size < 2**30:
        return f"{size / 2**20:.0f} MiB"
    gib = size / 2**30
    return f"{gib:.1f} GiB" if gib < 10 else f"{gib:.0f} GiB"


def need(
    network: VGG,
    photograph: Size,
    artworks: Sequence[Size],
    options: Options,
    bound: int | None = None,
    regions: int = 0,
) -> Need:
    """What a transfer takes that recomputes as little as the bound allows.

    Args:
        network: that paints.
        photograph: its size, as it came.
        artworks: their sizes, as they came.
        options: of the transfer.
        bound: bytes that it should keep to; None: as many as it likes. Where there is no way to do so, the need
            is that of the way that takes least.
        regions: with a style of their own; 0: the picture is not divided.

    Raises:
        ValueError: there are no iterations.
    """
    result = resample.fit(*photograph, options.size)
    if options.iterations == 0:
        raise ValueError("iterations must be 1 at least")
    scales = [
        at_scale(network, photograph, artworks, options, stage, bound, regions)
        for stage in pyramid.plan(*result, options)
    ]
    return replace(scales[-1], peak=max(scale.peak for scale in scales))


def at_scale(
    network: VGG,
    photograph: Size,
    artworks: Sequence[Size],
    options: Options,
    stage: pyramid.Stage,
    bound: int | None = None,
    regions: int = 0,
) -> Need:
    """What one scale of a transfer takes; arguments as for `need`."""
    size = options.painted_at(*photograph, stage.longest)
    content, style = {*options.weighted_content}, {*options.weighted_style}
    grey = options.color == "content-luminance"
    rgb = 12 * math.prod(size)
    picture = rgb // 3 if grey else rgb
    network = network if options.tile == "none" else network.with_padding(options.padding)
    blocks = ledger.blocks_of(network, size, {*content, *style})
    if not blocks:
        return Need(0, 0, 0)  # all weights are 0, which is refused elsewhere
    targets = sum(4 * block.numbers for block in blocks for name in block.layers if name in content)
    on_cpu = network.device.type == "cpu"
    came = pictures.counted(photograph, artworks, options) if on_cpu else 0
    if regions:
        came += math.prod(photograph) + sum(math.prod(artwork) for artwork in artworks)
        targets += sum(
            4 * regions * block.height * block.width * len(style & {*block.layers}) for block in blocks
        )
    palette = rgb + 2 * picture if grey else 0  # chroma and bounds
    drawing = 0
    if options.init == "image" or options.anchor_weight > 0:
        drawing = picture
    if options.anchor_weight > 0:
        drawing += picture + rgb // 3  # the anchor, and how much of it is held
    if options.local_strength:
        targets += sum(4 * block.height * block.width * len(content & {*block.layers}) for block in blocks)
    kept = (
        came + targets + palette + (2 * picture + palette) // 4 + drawing
    )  # the quarter is the scale before

    longest = options.longest_of_artworks(max(size))
    resized = [resample.artwork_size(*artwork, longest) for artwork in artworks] if style else []
    seen = [(4 if grey else 12) * math.prod(each) for each in resized]
    passing = [ledger.forward(network, each, style) for each in resized] + [
        ledger.forward(network, size, content)
    ]
    if (
        options.color != "style"
    ):  # `colours.match`: in float64, centred, transformed, and both with the new mean
        passing += [6 * each for each in seen] + [4 * picture]
    if on_cpu:
        # Pillow resizes one after the other: a copy of 3 bytes a pixel, and its own of 4.
        passing.append(7 * max(math.prod(each) for each in (photograph, *artworks)))
    # The photograph is there twice: for the scale, and for its objective.
    preparation = kept + 2 * picture + palette + sum(seen) + max(passing)
    if options.local_strength:
        preparation += 2 * rgb // 3  # the mask in float32, and what it is pooled to

    remembered = pairs(network.device, (1 if grey else 3, *size), stage.evaluations)
    if on_cpu and stage.evaluations is not None:
        remembered = min(remembered, stage.evaluations - 1)  # pages that nothing was written to do not count
    descent = kept + (7 + 2 * remembered) * picture
    if grey:
        descent += 2 * picture  # how far the bounds of the canvas are apart
    if regions:
        descent += rgb // 3  # how freely each pixel is painted

    ways = []
    for recomputed in range(len(blocks) + 1):
        peak = max(preparation, descent + ledger.evaluation(blocks, content, style, recomputed, regions))
        peak += ALLOCATOR if on_cpu else SCRATCH
        ways.append(Need(peak, recomputed, len(blocks)))
        if bound is None or peak <= bound:
            return ways[-1]
    return min(ways, key=lambda way: way.peak)
