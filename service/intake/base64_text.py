"""Base64 as other tools write it: wrapped, without padding, in the alphabet for URLs, as a data URL."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

_DATA_URL = re.compile(r"\s*data:([^,]*),", re.IGNORECASE)  # RFC 2397
_STANDARD = bytes.maketrans(b"-_", b"+/")  # RFC 4648, sections 4 and 5
_LINE_BREAKS = b"\r\n\t"
_UNKNOWN = re.compile(rb"[^A-Za-z0-9+/]")


def decode_base64(text: str) -> bytes:
    """The bytes that a text stands for.

    White space around it, line breaks and tabs count for nothing (RFC 2045, section 6.8), and padding may be left
    out. A data URL may be percent-encoded. Nothing else is guessed.

    Raises:
        ValueError: it is not base64; the message says why, and goes on after the name of the field.
    """
    if url := _DATA_URL.match(text):
        if not url[1].lower().endswith(";base64"):
            raise ValueError("is a data URL without ;base64: send the file's bytes as base64")
        text = text[url.end() :]
    try:
        coded = text.strip().encode("ascii")
    except UnicodeEncodeError as error:
        wrong = text.strip()[error.start]
        raise ValueError(
            f"is not base64, as it has {wrong!r} in it: send the file's bytes as base64"
        ) from None
    if url and b"%" in coded:
        coded = unquote_to_bytes(coded)
    coded = coded.translate(_STANDARD, _LINE_BREAKS)
    digits = coded.rstrip(b"=")
    if wrong_byte := _UNKNOWN.search(digits):
        if wrong_byte[0] == b" ":
            raise ValueError(
                "has spaces in its base64, which were + before something decoded them like a form: encode + as %2B "
                "there, or send the text as it is"
            )
        character = wrong_byte[0].decode("latin-1")
        raise ValueError(f"is not base64, as it has {character!r} in it: send the file's bytes as base64")
    if len(digits) % 4 == 1 or len(coded) - len(digits) > 2:
        raise ValueError("is cut short, or is not base64: send all of the file's bytes as base64")
    try:
        return base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(f"is not base64 ({error}): send the file's bytes as base64") from None
