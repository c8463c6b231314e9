import base64
from urllib.parse import quote

import pytest

from service.intake.base64_text import decode_base64

DATA = bytes(range(256)) + b"~"  # with every digit in it, and padding to leave out
CODED = base64.b64encode(DATA).decode()
WRAPPED = base64.encodebytes(DATA).decode()
FOR_URLS = base64.urlsafe_b64encode(DATA).decode()


@pytest.mark.parametrize(
    "text",
    [
        CODED,
        CODED.rstrip("="),
        CODED.replace("=", ""),
        FOR_URLS,
        FOR_URLS.rstrip("="),
        WRAPPED,
        WRAPPED.replace("\n", "\r\n"),
        f"  {CODED}\n",
        f"data:image/jpeg;base64,{CODED}",
        f"DATA:image/jpeg;BASE64,{CODED}",
        f"data:;base64,{CODED}",
        f"data:image/jpeg;charset=utf-8;base64,{CODED}",
        f"data:image/jpeg;base64,\n{WRAPPED}",
        f"data:image/jpeg;base64,{quote(CODED, safe='')}",
    ],
)
def test_what_other_tools_write_is_read(text: str) -> None:
    assert decode_base64(text) == DATA


def test_nothing_is_nothing() -> None:
    assert decode_base64("") == b""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (CODED.replace("+", " "), r"has spaces in its base64, which were \+ before"),
        ("photo.jpg", r"is not base64, as it has '\.' in it"),
        ("Zm9vé", "is not base64, as it has 'é' in it"),
        (CODED[:5], "is cut short, or is not base64"),
        ("Zm9v====", "is cut short, or is not base64"),
        ("data:image/svg+xml,%3Csvg%3E", "is a data URL without ;base64"),
        ("https://example.org/photo.jpg", "is not base64, as it has ':' in it"),
        ("Zm=9v", "is not base64, as it has '=' in it"),
    ],
)
def test_what_is_ambiguous_or_something_else_is_refused_with_its_cause(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        decode_base64(text)
