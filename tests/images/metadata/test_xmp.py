from dataclasses import replace
from xml.etree import ElementTree

import pytest

from service.images.metadata import LARGEST_PACKET, Metadata, Provenance, packet
from service.images.metadata.xmp import parse

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
PHOTOSHOP = 'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
MADE = Provenance("trainedAlgorithmicMedia", "1.2 vgg16 abc")


def xmp(inside: str, before: str = "") -> bytes:
    return f"{before}<rdf:RDF {RDF} {DC} {PHOTOSHOP}>{inside}</rdf:RDF>".encode()


def test_properties_are_read_from_arrays_elements_and_attributes() -> None:
    seq = "<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Bo</rdf:li></rdf:Seq></dc:creator>"
    plain = "<dc:rights>of Ada</dc:rights>"
    assert parse(xmp(f'<rdf:Description photoshop:Credit="agency">{seq}{plain}</rdf:Description>')) == (
        ["", "", "Ada", "Bo"],
        "of Ada",
        "agency",
    )


def test_of_a_text_in_several_languages_the_default_one_counts() -> None:
    items = '<rdf:li xml:lang="de">Rechte</rdf:li><rdf:li xml:lang="x-default">rights</rdf:li>'
    document = xmp(f"<rdf:Description><dc:rights><rdf:Alt>{items}</rdf:Alt></dc:rights></rdf:Description>")
    assert parse(document)[1] == "rights"


def test_what_is_written_is_read_again_whatever_its_characters_are() -> None:
    names = ("<rdf:li> & ]]>", "\N{GRINNING FACE} 名前")
    written = Metadata(names, "© \"a\" 'b'", "c", provenance=MADE)
    creators, rights, credit = parse(packet(written))
    assert Metadata.of(creators, rights, credit, None) == replace(written, provenance=None)


def test_provenance_is_what_iptc_calls_it() -> None:
    namespace = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
    (description,) = ElementTree.fromstring(packet(Metadata(provenance=MADE)).decode()).iter(
        "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"
    )
    assert {element.tag.removeprefix(namespace): element.text for element in description} == {
        "DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
        "AISystemUsed": "Stylize",
        "AISystemVersionUsed": "1.2 vgg16 abc",
    }


def test_nothing_to_say_is_no_packet() -> None:
    assert packet(Metadata(dpi=300)) == b""


def test_a_document_with_entities_is_not_parsed() -> None:
    laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    with pytest.raises(ValueError, match="document type"):
        parse(xmp("<rdf:Description><dc:rights>&b;</dc:rights></rdf:Description>", laughs))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7"])
def test_entities_cannot_hide_behind_an_encoding(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE l [<!ENTITY a "ha">]>'
    document = xmp("<rdf:Description><dc:rights>&a;</dc:rights></rdf:Description>", declared)
    with pytest.raises((ValueError, ElementTree.ParseError)):
        parse(document.decode().encode(encoding))


def test_more_than_a_packet_is_not_parsed() -> None:
    with pytest.raises(ValueError, match="too large"):
        parse(xmp(" " * LARGEST_PACKET))


def test_nested_elements_take_no_more_than_their_bytes() -> None:
    nested = "<rdf:Description><dc:creator>" * 2000 + "</dc:creator></rdf:Description>" * 2000
    assert parse(xmp(nested)) == (["", ""], "", "")
