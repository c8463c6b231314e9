"""From the files of a request to what is painted."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from service.catalogue import Catalogue, Style
from service.images import Decoded, Format, ImageError, Labels, Metadata, Provenance, on_white
from service.images.decoders import Decoder
from service.intake.completion import PaintRequest
from service.intake.contract import STYLE_NAME, Kept
from service.intake.errors import OptionsError, PictureError, TooLargeError
from service.intake.masks import Region, match, misfit
from service.intake.operations import STYLIZE, Operation
from service.messages import sentence
from service.problems import FieldError
from service.style import (
    Anchor,
    Masks,
    Options,
    Shapes,
    Work,
    close,
    fill,
    grey,
    kept,
    meeting,
    reduce,
    reduce_seen,
    result_size,
)
from service.style.network import REPEAT, Padding


@dataclass(frozen=True)
class Delivery:
    """How a picture is to be delivered, once it is painted; none of the pictures that it is painted from.

    Attributes:
        options: complete.
        format, quality: of the file.
        alpha: uint8 (1, h, w) of the photograph, of any size; None where it was opaque.
        operation: that was asked for.
        regions: which parts are painted in which style.
        metadata: what the file says beside its pixels.
        kept: whether that has something of the photograph's.
    """

    options: Options
    format: Format
    quality: int | None
    alpha: Tensor | None = None
    operation: Operation = STYLIZE
    regions: tuple[Region, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)
    kept: Kept = "keep"


class Fits(Protocol):
    """Knows how much memory there is; a model does."""

    def require_memory(self, shapes: Shapes) -> None:
        """Raise a ValueError for a request whose painting would take more than there is for it."""

    def require_room(self, shapes: Shapes) -> None:
        """Raise a ValueError for pictures, as they are kept, that take more than those that wait may."""


class Observer(Protocol):
    """Is told about every picture; metrics are."""

    def decoded(self, part: str, picture: Decoded | Labels) -> None:
        """A file has been decoded; `part` is its name in the request."""

    def working(self, part: str, picture: Decoded) -> None:
        """The photograph ("content") or an artwork ("style") is kept like this."""


class _Nobody:
    """Is told, and does nothing."""

    def decoded(self, part: str, picture: Decoded | Labels) -> None:
        pass

    def working(self, part: str, picture: Decoded) -> None:
        pass


def prepare(
    request: PaintRequest,
    *,
    decoder: Decoder,
    catalogue: Catalogue,
    fits: Fits,
    system: str | None = None,
    observe: Observer | None = None,
) -> tuple[Delivery, Work]:
    """Decode every picture of a request, and reduce it to the size at which it is used.

    Args:
        request: complete.
        decoder: makes pictures of files, one after the other.
        catalogue: has the artworks that are asked for by name.
        fits: judges whether there is memory for them.
        system: version of the AI system, for the result to say that it comes from one; None: it does not say so.
        observe: is told about every picture.

    Returns:
        How to deliver the result, and what to paint.

    Raises:
        PictureError: a picture cannot be used.
        OptionsError: pictures do not go together, or an artwork of the catalogue has been taken away.
        TooLargeError: they are too large for the network or the memory.
    """
    return _Preparation(request, decoder, catalogue, fits, system, observe or _Nobody()).run()


@dataclass(frozen=True)
class _Preparation:
    request: PaintRequest
    decoder: Decoder
    catalogue: Catalogue
    fits: Fits
    system: str | None
    observe: Observer

    def run(self) -> tuple[Delivery, Work]:
        sent, options = self.request.sent, self.request.options
        content, styles = self._pictures()
        width, height = content.size
        with _fitting():
            result_size(height, width, options.size)
        masks, regions = self._masks(content, styles)
        artworks = [style.rgb for style in styles]
        work = Work(
            content.rgb,
            artworks,
            options,
            masks,
            self._start(content),
            content.alpha,
            self._anchor(content),
            self._strength(content),
        )
        with _fitting():
            self.fits.require_room(work.shapes)
            self.fits.require_memory(work.shapes)
        self.observe.working("content", content)
        for style in styles:
            self.observe.working("style", style)
        delivery = Delivery(
            options,
            self.request.format,
            sent.options.quality,
            content.alpha,
            sent.operation,
            regions,
            self._metadata(content),
            sent.options.metadata,
        )
        return delivery, work

    def _metadata(self, content: Decoded) -> Metadata:
        sent = self.request.sent
        # The shape of a texture is an artwork's, and whose that was is another question.
        own = content.metadata if sent.content and sent.options.metadata == "keep" else Metadata()
        made = self.system and Provenance(sent.operation.source_type, self.system)
        return replace(own, dpi=sent.options.dpi or own.dpi, provenance=made or None)

    def _pictures(self) -> tuple[Decoded, list[Decoded]]:
        """The photograph and the artworks, each of them reduced before the next one is decoded."""
        content = None
        if self.request.sent.content is not None:
            decoded = self._decode("content", self.request.sent.content, self._kept)
            content = self._closed(_reduced(decoded, self._kept, self.request.options.padding))
        styles: list[Decoded] = []
        for style in self._artworks():
            if content is None:  # a texture gets its shape from the first artwork, and nothing else
                content = self._closed(_opaque(style, self._kept, self.request.options.padding))
            styles.append(_opaque(style, self._artworks_kept))
            with _fitting():  # before there are more
                self.fits.require_room(
                    Shapes.of(content.rgb, [each.rgb for each in styles], self.request.options)
                )
        assert content is not None, "an operation takes a photograph or artworks"
        return content, styles

    def _artworks(self) -> Generator[Decoded, None, None]:
        """One after the other, so that they are not all there as large as they came."""
        for name, data in _numbered("style", self.request.sent.styles):
            yield self._decode(name, data, self._artworks_kept)
        for style in self.request.named:
            yield self._named(style)

    def _named(self, style: Style) -> Decoded:
        artwork = self.catalogue.artwork(style, self.decoder)
        if artwork is None:
            message = f"The style {style.name} has just been changed or removed: GET /styles lists them."
            raise OptionsError([FieldError(STYLE_NAME, message)])
        return artwork

    def _masks(self, content: Decoded, styles: Sequence[Decoded]) -> tuple[Masks | None, tuple[Region, ...]]:
        sent = self.request.sent
        if sent.content_mask is None:
            return None, ()
        return match(
            self._labels("content_mask", sent.content_mask, self._kept),
            [
                self._labels(name, data, self._artworks_kept)
                for name, data in _numbered("style_mask", sent.style_masks)
            ],
            photograph=content.size,
            artworks=[style.size for style in styles],
            style_weights=self.request.options.style_blend,
        )

    def _labels(self, name: str, data: bytes, longest: int) -> Labels:
        with _complaining(name):
            labels = self.decoder.labels(data, longest)
        self._observe(name, labels)
        return labels

    def _start(self, content: Decoded) -> Tensor | None:
        if self.request.sent.init_image is None:
            return None
        start = self._fitted("init_image", self.request.sent.init_image, content)
        return self._closed(_on_white(start)).rgb

    def _anchor(self, content: Decoded) -> Anchor | None:
        """What is transparent in it is not held."""
        sent = self.request.sent
        if sent.anchor_image is None:
            return None
        anchor = self._fitted("anchor_image", sent.anchor_image, content)
        held = torch.full_like(anchor.rgb[:1], 255) if anchor.alpha is None else anchor.alpha
        if sent.anchor_mask is not None:
            mask = self._grey("anchor_mask", sent.anchor_mask, content, transparent=0)
            held = (held * grey(mask, (held.shape[-2], held.shape[-1]))[0]).round().to(torch.uint8)
        if not self.request.options.anchor_weight:
            return None
        return Anchor(close(fill(anchor.rgb, held), self.request.options.padding), held)

    def _strength(self, content: Decoded) -> Tensor | None:
        if self.request.sent.strength_mask is None:
            return None
        return self._grey("strength_mask", self.request.sent.strength_mask, content, transparent=255)

    def _grey(self, name: str, data: bytes, content: Decoded, *, transparent: int) -> Tensor:
        """A picture of how much, uint8 (1, h, w): the means of its channels, and where it is transparent this."""
        mask = self._fitted(name, data, content)
        levels = mask.rgb.float().mean(0, keepdim=True)
        if mask.alpha is not None:
            levels = torch.full_like(levels, transparent).lerp(levels, mask.alpha / 255)
        return levels.round().to(torch.uint8)

    def _fitted(self, name: str, data: bytes, content: Decoded) -> Decoded:
        """A picture of the photograph's shape, as large as that is kept at most."""
        picture = self._decode(name, data, self._kept)
        if errors := misfit(name, picture.size, "content", content.size):
            raise OptionsError(errors)
        return _reduced(picture, self._kept, self.request.options.padding)

    def _closed(self, picture: Decoded) -> Decoded:
        return replace(picture, rgb=close(picture.rgb, self.request.options.padding))

    def _decode(self, part: str, data: bytes, wanted: int) -> Decoded:
        with _complaining(part):
            picture = self.decoder.picture(data, wanted)
        self._observe(part, picture)
        return picture

    def _observe(self, part: str, picture: Decoded | Labels) -> None:
        self.observe.decoded(part.partition(" ")[0], picture)

    @property
    def _kept(self) -> int:
        """Longest side of the photograph, in pixels."""
        return kept(self.request.options.size)

    @property
    def _artworks_kept(self) -> int:
        """Longest side of an artwork, in pixels."""
        return self.request.options.longest_of_artworks(self._kept)


def _reduced(picture: Decoded, longest: int, padding: Padding = REPEAT) -> Decoded:
    """A picture that is no larger than it has to be, and hides nothing under what is transparent.

    Where it wraps but its sides do not meet, no filter may mix them: they are closed later.
    """
    small = _seen(picture, longest, REPEAT)
    if padding != REPEAT and (where := meeting(small.rgb, padding)) != REPEAT:
        return _seen(picture, longest, where)
    return small


def _seen(picture: Decoded, longest: int, padding: Padding) -> Decoded:
    if picture.alpha is None:
        return replace(picture, rgb=reduce(picture.rgb, longest, padding))
    rgb, alpha = reduce_seen(picture.rgb, picture.alpha, longest, padding)
    return replace(picture, rgb=rgb, alpha=alpha)


def _opaque(picture: Decoded, longest: int, padding: Padding = REPEAT) -> Decoded:
    """The same without transparency, on white."""
    return _on_white(_reduced(picture, longest, padding))


def _on_white(picture: Decoded) -> Decoded:
    if picture.alpha is None:
        return picture
    return replace(picture, rgb=on_white(picture.rgb, picture.alpha), alpha=None)


def _numbered(name: str, files: tuple[bytes, ...]) -> list[tuple[str, bytes]]:
    """Files with what to call them: style, or style 1, style 2, ..."""
    if len(files) == 1:
        return [(name, files[0])]
    return [(f"{name} {number}", data) for number, data in enumerate(files, start=1)]


@contextmanager
def _complaining(part: str) -> Generator[None, None, None]:
    """What is wrong with a picture is said with the name of its part."""
    try:
        yield
    except ImageError as error:
        raise PictureError(part, error) from None


@contextmanager
def _fitting() -> Generator[None, None, None]:
    """What does not fit into the network or the memory is a matter of the size that was asked for."""
    try:
        yield
    except ValueError as error:
        raise TooLargeError(sentence(error)) from None
