"""How many bytes the pictures of a transfer take in 8 bits, as they came and with their copies (`copies`)."""

import math
from collections.abc import Sequence

from service.style import resample
from service.style.options import Options
from service.style.schedule import pyramid
from service.style.work import Size


def counted(photograph: Size, artworks: Sequence[Size], options: Options) -> int:
    """Bytes of the pictures, each with a copy for every size that it is used at, and be it its own.

    That one is not made. It counts so that a larger picture never needs less than a smaller one.

    Args:
        photograph: its size, as it came.
        artworks: their sizes, as they came.
        options: of the transfer.
    """
    used = _used_at(photograph, artworks, options, own=True)
    pictures = 3 * sum(math.prod(came) + sum(map(math.prod, sizes)) for came, sizes in used)
    return pictures + _planes(photograph, options)


def held(photograph: Size, artworks: Sequence[Size], options: Options, regions: int = 0) -> int:
    """Bytes of the host's memory that a request keeps while it waits: pictures, copies, masks, and an alpha.

    A copy counts as the power of two above it, which is what torch takes for it in pinned memory.

    Args:
        photograph: its size, as it is kept.
        artworks: their sizes, as they are kept.
        options: of the transfer.
        regions: with a style of their own; 0: there are no masks.
    """
    total = math.prod(photograph) + _planes(photograph, options)  # the first is its alpha
    for came, sizes in _used_at(photograph, artworks, options, own=False):
        copies = (3 * math.prod(size) for size in sizes)
        total += 3 * math.prod(came) + sum(1 << (copy - 1).bit_length() for copy in copies)
    if regions:
        longest = resample.kept(options.size)
        masks = [_beside(photograph, longest)]
        masks += [_beside(artwork, options.longest_of_artworks(longest)) for artwork in artworks]
        total += sum(map(math.prod, masks))
    return total


def _used_at(
    photograph: Size, artworks: Sequence[Size], options: Options, *, own: bool
) -> list[tuple[Size, set[Size]]]:
    """For each picture of a transfer the size that it came in, and those that it is used at (`Inputs.prepare`).

    The size that it came in is one of these where `own` says so.
    """
    longest = pyramid.scales(*resample.fit(*photograph, options.size), options.init)
    sizes = {options.painted_at(*photograph, each) for each in longest}
    if options.tile != "none":
        sizes.add(resample.fit(*photograph, options.size))
    used = [(photograph, sizes)]
    for artwork in artworks:
        scaled = {resample.artwork_size(*artwork, options.longest_of_artworks(max(each))) for each in sizes}
        used.append((artwork, scaled if options.weighted_style else set()))
    if not own:
        used = [(came, copies - {came}) for came, copies in used]
    # A start and an anchor, whose own sizes are not known.
    beside = (_beside(photograph, resample.kept(options.size)), sizes)
    return used + [beside] * ((options.init == "image") + (options.anchor_weight > 0))


def _planes(photograph: Size, options: Options) -> int:
    """Bytes of the masks that say how much, as they are kept: of the anchor, and of the strength."""
    plane = math.prod(_beside(photograph, resample.kept(options.size)))
    return plane * ((options.anchor_weight > 0) + options.local_strength)


def _beside(picture: Size, longest: int) -> Size:
    """The largest that a mask of a picture, or a start in its place, is kept: up to this side, were it smaller."""
    return max(picture, resample.fit(*picture, longest), key=math.prod)
