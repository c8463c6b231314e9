"""From the files of a request to what is painted."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from torch import Tensor

from service.catalogue import Catalogue, Style
from service.images import Decoded, Format, ImageError, Labels, on_white
from service.images.decoders import Decoder
from service.intake.completion import PaintRequest
from service.intake.errors import OptionsError, PictureError, TooLargeError
from service.intake.masks import Region, match, misfit
from service.intake.operations import STYLIZE, Operation
from service.intake.options import STYLE_NAME
from service.messages import sentence
from service.problems import FieldError
from service.style import Masks, Options, Shapes, Work, kept, reduce, reduce_seen, result_size
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
    """

    options: Options
    format: Format
    quality: int | None
    alpha: Tensor | None = None
    operation: Operation = STYLIZE
    regions: tuple[Region, ...] = ()


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
    observe: Observer | None = None,
) -> tuple[Delivery, Work]:
    """Decode every picture of a request, and reduce it to the size at which it is used.

    Args:
        request: complete.
        decoder: makes pictures of files, one after the other.
        catalogue: has the artworks that are asked for by name.
        fits: judges whether there is memory for them.
        observe: is told about every picture.

    Returns:
        How to deliver the result, and what to paint.

    Raises:
        PictureError: a picture cannot be used.
        OptionsError: pictures do not go together, or an artwork of the catalogue has been taken away.
        TooLargeError: they are too large for the network or the memory.
    """
    return _Preparation(request, decoder, catalogue, fits, observe or _Nobody()).run()


@dataclass(frozen=True)
class _Preparation:
    request: PaintRequest
    decoder: Decoder
    catalogue: Catalogue
    fits: Fits
    observe: Observer

    def run(self) -> tuple[Delivery, Work]:
        sent, options = self.request.sent, self.request.options
        content, styles = self._pictures()
        width, height = content.size
        with _fitting():
            result_size(height, width, options.size)
        masks, regions = self._masks(content, styles)
        artworks = [style.rgb for style in styles]
        work = Work(content.rgb, artworks, options, masks, self._start(content), content.alpha)
        with _fitting():
            self.fits.require_room(work.shapes)
            self.fits.require_memory(work.shapes)
        self.observe.working("content", content)
        for style in styles:
            self.observe.working("style", style)
        delivery = Delivery(
            options, self.request.format, sent.options.quality, content.alpha, sent.operation, regions
        )
        return delivery, work

    def _pictures(self) -> tuple[Decoded, list[Decoded]]:
        """The photograph and the artworks, each of them reduced before the next one is decoded."""
        content = None
        if self.request.sent.content is not None:
            content = _reduced(
                self._decode("content", self.request.sent.content, self._kept),
                self._kept,
                self.request.options.padding,
            )
        styles: list[Decoded] = []
        for style in self._artworks():
            if content is None:  # a texture gets its shape from the first artwork, and nothing else
                content = _opaque(style, self._kept, self.request.options.padding)
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
        start = self._decode("init_image", self.request.sent.init_image, self._kept)
        if errors := misfit("init_image", start.size, "content", content.size):
            raise OptionsError(errors)
        return _opaque(start, self._kept, self.request.options.padding).rgb

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
    """A picture that is no larger than it has to be, and hides nothing under what is transparent."""
    if picture.alpha is None:
        return replace(picture, rgb=reduce(picture.rgb, longest, padding))
    rgb, alpha = reduce_seen(picture.rgb, picture.alpha, longest, padding)
    return replace(picture, rgb=rgb, alpha=alpha)


def _opaque(picture: Decoded, longest: int, padding: Padding = REPEAT) -> Decoded:
    """The same without transparency, on white."""
    small = _reduced(picture, longest, padding)
    return small if small.alpha is None else replace(small, rgb=on_white(small.rgb, small.alpha), alpha=None)


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
