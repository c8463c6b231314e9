"""AV1: how large the frames of coded data are (AV1 Bitstream & Decoding Process Specification, section 5)."""

from service.images.containers.pieces import Pieces

_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6


def pixels(coded: memoryview, pieces: Pieces) -> int:
    """How many pixels the frames have at most, all together: hidden ones are decoded like the one that is shown.

    Args:
        coded: open bitstream units, one after the other (5.3).
        pieces: counts them.

    Raises:
        ValueError: there is no sequence header, or it is cut short.
    """
    area = frames = at = 0
    while at < len(coded):
        pieces.count()
        header = coded[at]
        at += 2 if header & 4 else 1  # with an extension
        size = len(coded) - at
        if header & 2:
            size, at = _leb128(coded, at)
        kind = header >> 3 & 15
        if kind == _SEQUENCE_HEADER:
            area = max(area, _largest_frame(bytes(coded[at : at + min(size, 256)])))
        frames += kind in (_FRAME_HEADER, _FRAME)
        at += size
    if not area:
        raise ValueError("AV1 data without a sequence header")
    return area * max(1, frames)


def _leb128(coded: memoryview, at: int) -> tuple[int, int]:
    """A number, and where it ends (4.10.5)."""
    value = 0
    for position, byte in enumerate(coded[at : at + 8]):
        value |= (byte & 127) << 7 * position
        if byte < 128:
            return value, at + position + 1
    raise ValueError("the size of an AV1 unit is cut short")


def _largest_frame(sequence_header: bytes) -> int:
    """Pixels that a frame may have (5.5.1)."""
    bits = _Bits(sequence_header)
    bits.read(4)  # seq_profile, still_picture
    reduced = bits.read(1)
    if reduced:
        bits.read(5)  # seq_level_idx
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(width_bits) + 1, bits.read(height_bits) + 1
    if reduced:
        return width * height
    # A frame header may give a size of its own, in as many bits (5.9.5).
    return int(2 ** (width_bits + height_bits))


def _skip_operating_points(bits: "_Bits") -> None:
    delay_bits = 0
    if bits.read(1):  # timing_info_present_flag
        bits.read(64)
        if bits.read(1):  # equal_picture_interval
            bits.skip_uvlc()
        if bits.read(1):  # decoder_model_info_present_flag
            delay_bits = bits.read(5) + 1
            bits.read(42)
    display_delays = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)  # operating_point_idc
        if bits.read(5) > 7:  # seq_level_idx
            bits.read(1)
        if delay_bits and bits.read(1):
            bits.read(2 * delay_bits + 1)
        if display_delays and bits.read(1):
            bits.read(4)


class _Bits:
    """Reads numbers of some bits, the most significant first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def read(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("an AV1 sequence header is cut short")
        return self._value >> self._left & (1 << count) - 1

    def skip_uvlc(self) -> None:
        """A number of variable length (4.10.3)."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        if zeros < 32:
            self.read(zeros)
