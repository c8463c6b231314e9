"""The parts of a form (RFC 7578), as they were sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

MAX_PARTS = 64
_PIECE = 1 << 16  # bytes that the decoder gets at a time, so that it does not hold the whole body once more
_AS_IT_IS = {"", "identity", "binary", "8bit", "7bit"}


class TooManyPartsError(ValueError):
    """A form has more than MAX_PARTS."""


@dataclass(frozen=True)
class Part:
    """One part of a form.

    Attributes:
        name: None where there is none.
        data: its body.
        filename: None where there is none; that makes it a text field as a rule, but not always (section 4.2).
        headers: of the part.
    """

    name: str | None
    data: bytes
    filename: str | None
    headers: Headers

    @property
    def media_type(self) -> str:
        """As it was declared, or empty."""
        return parse_options_header(self.headers.get("Content-Type"))[0].lower()

    @property
    def encoding(self) -> str | None:
        """The encoding that its data have to be freed from, of which there should be none; None if so."""
        for header in ("Content-Encoding", "Content-Transfer-Encoding"):
            value = self.headers.get(header, "").strip()
            if value.lower() not in _AS_IT_IS:
                return f"{header}: {value}"
        return None


def read_parts(body: bytes, boundary: str) -> Iterator[Part]:
    """The parts, one after the other.

    Raises:
        TooManyPartsError: there are more than MAX_PARTS.
        ValueError: it is not a form with this boundary.
    """
    if not boundary:
        raise ValueError("there is no boundary")
    decoder = MultipartDecoder(boundary.encode("ascii"), max_parts=MAX_PARTS)
    head: Field | File | None = None
    pieces: list[bytes] = []
    for event in _events(decoder, body):
        if isinstance(event, Field | File):
            head, pieces = event, []
        elif isinstance(event, Data) and head is not None:
            pieces.append(event.data)
            if not event.more_data:
                filename = head.filename if isinstance(head, File) else None
                yield Part(head.name, b"".join(pieces), filename, head.headers)


def _events(decoder: MultipartDecoder, body: bytes) -> Iterator[Event]:
    pieces = (body[at : at + _PIECE] for at in range(0, len(body), _PIECE))
    for piece in chain(pieces, [None]):
        decoder.receive_data(piece)
        try:
            while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
                yield event
        except RequestEntityTooLarge:
            raise TooManyPartsError from None
