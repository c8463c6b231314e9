import io
import os

import pytest
from werkzeug.test import EnvironBuilder

from service.api.paint.body import parse


def form_of(content: bytes, style: bytes) -> tuple[bytes, str]:
    """The body and the type of a form with two files and an option."""
    files = {"content": (content, "photo.jpg"), "style": (style, "art.jpg")}
    builder = EnvironBuilder(method="POST")
    for name, (data, filename) in files.items():
        builder.files.add_file(name, io.BytesIO(data), filename)
    builder.form["size"] = "64"
    environ = builder.get_environ()
    with environ["wsgi.input"] as stream:
        return stream.read(), environ["CONTENT_TYPE"]


@pytest.mark.parametrize(
    "length", [0, 1, 64_000, 65_000, 65_400, 65_536, 66_000, 130_900, 131_072, 1_000_000]
)
def test_files_of_every_length_come_out_as_they_went_in(length: int) -> None:
    # Werkzeug holds its read buffer against the limit for text: too tight a limit refuses some of these.
    content, style = os.urandom(length), os.urandom(190_000)
    sent = parse(*form_of(content, style))
    assert (sent.content, sent.styles, sent.options.size) == (content, (style,), 64)
