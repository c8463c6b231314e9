"""What results say beside their pixels, by every way that they go out."""

import base64
import io
import json
import os
import shutil
import subprocess

import pytest
from flask.testing import FlaskClient
from PIL import ExifTags, Image

from devtools.events import read
from devtools.serving import FakeModel, started
from service.api.context import service_of
from service.images import Metadata, decode
from service.images.metadata import packet
from tests.api.paint.test_problems import problem
from tests.api.paint.test_stylize import Parts, file, form, opened, post

FORMATS = ["png", "jpeg", "webp", "avif"]
OWNED = Metadata(("Ada Noon",), "© 2026 Ada Noon", "Noon Pictures", 300)
SOURCE = b"http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE, MADE = SOURCE + b"compositeWithTrainedAlgorithmicMedia", SOURCE + b"trainedAlgorithmicMedia"
VERSION = b"fake 0123456789abcdef</Iptc4xmpExt:AISystemVersionUsed>"


def owned() -> bytes:
    """A photograph with an owner, a position and a thumbnail."""
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "Camera 9"
    exif[ExifTags.Base.Copyright] = OWNED.rights.encode()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 51.0, 24.0)
    out = io.BytesIO()
    image = Image.new("RGB", (64, 48), "green")
    image.save(
        out, "jpeg", exif=exif, xmp=packet(Metadata(OWNED.creators, credit=OWNED.credit)), dpi=(300, 300)
    )
    return out.getvalue()


def owned_form(**fields: object) -> Parts:
    return form(**fields) | {"content": file(owned())}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_result_says_that_an_ai_system_made_it(client: FlaskClient, kind: str) -> None:
    data = post(client, form(format=kind)).data
    assert data.count(COMPOSITE) == 1
    assert b"<Iptc4xmpExt:AISystemUsed>Stylize<" in data
    assert VERSION in data


def test_a_texture_is_all_made(client: FlaskClient) -> None:
    parts = {"style": file(owned()), "size": "64"}
    data = client.post("/reconstruct/style", data=parts, content_type="multipart/form-data").data
    assert MADE in data
    assert decode(data).metadata == Metadata()


@pytest.mark.parametrize("kind", FORMATS)
def test_owner_and_resolution_are_kept_and_nothing_else(client: FlaskClient, kind: str) -> None:
    answer = post(client, owned_form(format=kind))
    exif = opened(answer).getexif()
    assert decode(answer.data).metadata == OWNED
    assert ExifTags.Base.Model not in exif
    assert not exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert not exif.get_ifd(ExifTags.IFD.IFD1)


def test_the_owner_of_an_artwork_is_not_that_of_the_result(client: FlaskClient) -> None:
    answer = post(client, form() | {"style": file(owned())})
    assert decode(answer.data).metadata == Metadata()


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_of_the_photograph_is_kept_where_none_of_it_is_wanted(client: FlaskClient, kind: str) -> None:
    data = post(client, owned_form(format=kind, metadata="none")).data
    assert decode(data).metadata == Metadata()
    assert COMPOSITE in data


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("kept", ["keep", "none"])
def test_the_resolution_that_is_asked_for_is_written(client: FlaskClient, kind: str, kept: str) -> None:
    data = post(client, owned_form(format=kind, dpi=150, metadata=kept)).data
    assert decode(data).metadata.dpi == 150


def test_the_pixels_are_the_same_whatever_the_metadata_are(client: FlaskClient) -> None:
    pictures = {
        opened(post(client, owned_form(**more))).tobytes() for more in ({}, {"dpi": 1}, {"metadata": "none"})
    }
    assert len(pictures) == 1


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_request_gives_the_same_bytes(client: FlaskClient, kind: str) -> None:
    assert post(client, owned_form(format=kind)).data == post(client, owned_form(format=kind)).data


def test_a_report_says_what_was_used(client: FlaskClient) -> None:
    answer = post(client, owned_form(format="png", depth=16), accept="application/json")
    used = answer.get_json()["settings"]
    assert {name: used[name] for name in ("depth", "dpi", "metadata")} == {
        "depth": 16,
        "dpi": 300,
        "metadata": "keep",
    }


def test_sixteen_bits_are_what_the_file_has(client: FlaskClient) -> None:
    data = post(client, form(depth=16, format="png")).data
    assert data[24] == 16  # of IHDR: the bit depth


@pytest.mark.parametrize("kind", ["jpeg", "webp", "avif"])
def test_sixteen_bits_are_for_png_alone(client: FlaskClient, kind: str) -> None:
    answer = post(client, form(depth=16, format=kind))
    detail = f"depth is 16, which {kind} does not have: ask for format=png, or for depth=8."
    assert problem(answer, 422, "invalid-request")["errors"] == [{"field": "depth", "message": detail}]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("depth", "12", "depth is 12: give one of 8, 16."),
        ("dpi", "0", 'dpi is "0": give a whole number from 1 to 9600.'),
        ("metadata", "all", 'metadata is "all": give one of keep, none.'),
    ],
)
def test_what_cannot_be_is_told(client: FlaskClient, field: str, value: str, sentence: str) -> None:
    (error,) = problem(post(client, form(**{field: value})), 422, "invalid-request")["errors"]
    assert error["message"] == sentence


def test_the_picture_of_the_events_has_it_and_previews_have_not(client: FlaskClient) -> None:
    answer = post(client, owned_form(), accept="text/event-stream")
    events = read([answer.data])
    images = {event.name: base64.b64decode(event.data["image"]) for event in events if "image" in event.data}
    assert decode(images.pop("result")).metadata == OWNED
    for preview in images.values():
        assert decode(preview).metadata == Metadata()
        assert SOURCE not in preview


def test_the_operator_switches_it_off() -> None:
    app = started(FakeModel(), provenance=False)
    data = post(app.test_client(), owned_form()).data
    service_of(app).engine.stop()
    assert SOURCE not in data
    assert decode(data).metadata == OWNED


@pytest.mark.skipif(
    shutil.which("exiftool") is None and os.environ.get("EXIFTOOL_TESTS") != "required",
    reason="there is no exiftool: apt-get install libimage-exiftool-perl",
)
@pytest.mark.parametrize("kind", FORMATS)
def test_exiftool_reads_it_as_it_is_meant(client: FlaskClient, kind: str) -> None:
    data = post(client, owned_form(format=kind)).data
    told = subprocess.run(
        ["exiftool", "-json", "-G1", "-"], input=data, capture_output=True, check=True
    ).stdout
    (tags,) = json.loads(told)
    wanted = {
        "XMP-iptcExt:DigitalSourceType": COMPOSITE.decode(),
        "XMP-iptcExt:AISystemUsed": "Stylize",
        "XMP-iptcExt:AISystemVersionUsed": "0.1.0 fake 0123456789abcdef",
        "XMP-dc:Creator": "Ada Noon",
        "XMP-dc:Rights": OWNED.rights,
        "XMP-photoshop:Credit": OWNED.credit,
        "IFD0:Artist": "Ada Noon",
        "IFD0:Copyright": OWNED.rights,
        "IFD0:XResolution": 300,
    }
    assert {name: tags.get(name) for name in wanted} == wanted
    assert not [name for name in tags if name.startswith(("GPS", "IFD1", "IFD0:Model")) or "Warning" in name]
