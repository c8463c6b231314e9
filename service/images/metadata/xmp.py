"""XMP: an RDF document in a file (ISO 16684-1), as far as it says whose a picture is and how it came about."""

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from service.images.metadata.kept import Metadata

LARGEST_PACKET = 1 << 18
"""Bytes that are read. A JPEG has room for 64 KiB; editors that keep a history write more elsewhere."""

_NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_RDF = f"{{{_NAMESPACES['rdf']}}}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def parse(xmp: bytes) -> tuple[list[str], str, str]:
    """Creators, copyright notice and credit line; empty where it has none.

    Raises:
        ValueError: it is too large, has a document type, or is not UTF-8.
        ElementTree.ParseError: it is not XML.
    """
    if len(xmp) > LARGEST_PACKET:
        raise ValueError("the XMP is too large")
    text = xmp.decode().strip("\ufeff\x00 \r\n\t")
    # Entities can be declared in a document type alone, and XMP has none. As a str it is read as it was decoded,
    # whatever encoding it claims.
    if "<!DOCTYPE" in text:
        raise ValueError("the XMP has a document type")
    root = ElementTree.fromstring(text)
    rdf = root if root.tag == f"{_RDF}RDF" else root.find("rdf:RDF", _NAMESPACES)
    if rdf is None:
        return [], "", ""
    found: dict[str, list[str]] = {}
    for name in ("dc:creator", "dc:rights", "photoshop:Credit"):
        found[name] = [
            value
            for description in rdf.iterfind("rdf:Description", _NAMESPACES)
            for value in _values(description, name)
        ]
    return found["dc:creator"], _first(found["dc:rights"]), _first(found["photoshop:Credit"])


def _values(description: ElementTree.Element, name: str) -> Iterator[str]:
    """Those of a property: an attribute, an element, or the items of an array (ISO 16684-1, 7.4 to 7.9)."""
    prefix, _, local = name.partition(":")
    yield description.get(f"{{{_NAMESPACES[prefix]}}}{local}", "")
    for element in description.iterfind(name, _NAMESPACES):
        yield element.text or ""
        items = element.findall("*/rdf:li", _NAMESPACES)
        items.sort(key=lambda item: item.get(_LANGUAGE, "x-default") != "x-default")
        yield from (item.text or "" for item in items)


def _first(texts: list[str]) -> str:
    return next((text for text in texts if text.strip()), "")


def packet(metadata: Metadata) -> bytes:
    """The XMP of a result; empty where there is nothing to say."""
    says = {} if metadata.provenance is None else metadata.provenance.properties
    properties = [f"<Iptc4xmpExt:{name}>{escape(text)}</Iptc4xmpExt:{name}>" for name, text in says.items()]
    if metadata.creators:
        names = "".join(f"<rdf:li>{escape(name)}</rdf:li>" for name in metadata.creators)
        properties.append(f"<dc:creator><rdf:Seq>{names}</rdf:Seq></dc:creator>")
    if metadata.rights:
        notice = f'<rdf:li xml:lang="x-default">{escape(metadata.rights)}</rdf:li>'
        properties.append(f"<dc:rights><rdf:Alt>{notice}</rdf:Alt></dc:rights>")
    if metadata.credit:
        properties.append(f"<photoshop:Credit>{escape(metadata.credit)}</photoshop:Credit>")
    if not properties:
        return b""
    body = "".join(properties)
    used = "".join(
        f" xmlns:{name}={quoteattr(uri)}"
        for name, uri in _NAMESPACES.items()
        if name == "rdf" or f"<{name}:" in body
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF{used}><rdf:Description rdf:about="">{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="r"?>'
    ).encode()
