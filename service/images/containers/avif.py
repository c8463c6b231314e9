"""AVIF: boxes that say where the AV1 data of each item and track are (ISO/IEC 14496-12, 23008-12).

The width and height of a file are those of a box. The decoder makes what the AV1 data say, and scales it: a file of
3 kB that claims 64x64 pixels could take gigabytes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from service.images.containers import av1
from service.images.containers.pieces import Pieces

_FULL_BOX = 4  # bytes of version and flags


@dataclass(frozen=True)
class _Box:
    kind: bytes
    start: int
    end: int


def coded_pixels(data: bytes) -> int:
    """How many pixels are decoded at most for the picture, all its parts and layers counted.

    Raises:
        TooManyPiecesError: there are more boxes or units than a file of this size needs.
        ValueError: it cannot be told.
    """
    file = _File(data)
    try:
        boxes = list(file.boxes(0, len(data)))
        coded = sum(file.item_pixels(box) for box in boxes if box.kind == b"meta")
        coded += sum(file.track_pixels(box) for box in boxes if box.kind == b"moov")
    except (struct.error, IndexError, KeyError) as error:
        raise ValueError("a box is missing or cut short") from error
    if not coded:
        raise ValueError("there are no AV1 data")
    return coded


class _File:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._view = memoryview(data)
        self._pieces = Pieces(len(data))

    def boxes(self, start: int, end: int) -> Iterator[_Box]:
        """The boxes between two offsets (14496-12, 4.2)."""
        while start + 8 <= end:
            self._pieces.count()
            size, kind = struct.unpack_from(">I4s", self._data, start)
            header = 8
            if size == 1:
                size, header = struct.unpack_from(">Q", self._data, start + 8)[0], 16
            elif size == 0:
                size = end - start
            if size < header:
                raise ValueError("a box is smaller than its header")
            yield _Box(kind, start + header, min(start + size, end))
            start += size

    def item_pixels(self, meta: _Box) -> int:
        """Of all AV1 items: the picture, or the tiles of a grid; transparency; a thumbnail."""
        boxes = list(self.boxes(meta.start + _FULL_BOX, meta.end))
        coded = {item for box in boxes if box.kind == b"iinf" for item in self._av1_items(box)}
        stores = [box for box in boxes if box.kind == b"idat"]
        return sum(
            self._pixels(extents)
            for box in boxes
            if box.kind == b"iloc"
            for item, extents in self._locations(box, stores)
            if item in coded
        )

    def _av1_items(self, iinf: _Box) -> Iterator[int]:
        """Their numbers (14496-12, 8.11.6)."""
        count_size = 2 if self._data[iinf.start] == 0 else 4
        for box in self.boxes(iinf.start + _FULL_BOX + count_size, iinf.end):
            if box.kind != b"infe":
                continue
            version = self._data[box.start]
            layout = ">I2x4s" if version >= 3 else ">H2x4s"
            item, kind = struct.unpack_from(layout, self._data, box.start + _FULL_BOX)
            if kind == b"av01":
                yield item

    def _locations(self, iloc: _Box, stores: list[_Box]) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Items, and where in the file their data begin and end (14496-12, 8.11.3)."""
        read = _Reader(self._data, iloc.start)
        version = read.number(1)
        read.number(3)
        sizes = read.number(2)
        offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
        index_size = sizes & 15 if version in (1, 2) else 0
        number_size = 2 if version < 2 else 4
        for _ in range(read.number(number_size)):
            item = read.number(number_size)
            method = read.number(2) & 15 if version in (1, 2) else 0
            read.number(2)  # another file, which there is none of
            base = read.number(base_size)
            if method == 1 and stores:
                base += stores[0].start
            extents = []
            for _ in range(read.number(2)):
                self._pieces.count()
                read.number(index_size)
                start = base + read.number(offset_size)
                extents.append((start, start + read.number(length_size)))
            self._pieces.count()
            yield item, extents

    def track_pixels(self, moov: _Box) -> int:
        """Of the first sample of every track: colours, transparency (14496-12, 8.5 to 8.7)."""
        pixels = 0
        tables = [moov]
        for kind in (b"trak", b"mdia", b"minf", b"stbl"):
            tables = [
                box for outer in tables for box in self.boxes(outer.start, outer.end) if box.kind == kind
            ]
        for table in tables:
            listed = list(self.boxes(table.start, table.end))
            boxes = {box.kind: box for box in listed}
            if len(boxes) < len(listed):
                raise ValueError("a table of samples is there twice")
            stsd = boxes[b"stsd"]
            formats = [box.kind for box in self.boxes(stsd.start + _FULL_BOX + 4, stsd.end)]
            if b"av01" not in formats:
                continue
            of_all, _, first = struct.unpack_from(">III", self._data, boxes[b"stsz"].start + _FULL_BOX)
            if b"co64" in boxes:
                (start,) = struct.unpack_from(">Q", self._data, boxes[b"co64"].start + _FULL_BOX + 4)
            else:
                (start,) = struct.unpack_from(">I", self._data, boxes[b"stco"].start + _FULL_BOX + 4)
            pixels += self._pixels([(start, start + (of_all or first))])
        return pixels

    def _pixels(self, extents: list[tuple[int, int]]) -> int:
        if len(extents) == 1:
            coded = self._view[slice(*extents[0])]
        else:
            if sum(max(0, end - start) for start, end in extents) > len(self._data):
                raise ValueError("the parts of an item overlap")
            coded = memoryview(b"".join(self._view[start:end] for start, end in extents))
        return av1.pixels(coded, self._pieces)


class _Reader:
    """Reads unsigned numbers of some bytes, one after the other."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._at = start

    def number(self, size: int) -> int:
        value = int.from_bytes(self._data[self._at : self._at + size], "big")
        self._at += size
        if self._at > len(self._data):
            raise ValueError("a box is cut short")
        return value
