import json
from dataclasses import asdict

from service.images import Metadata
from service.images.decoders.child import MOST_BYTES
from service.images.metadata.kept import MOST_CHARACTERS, MOST_CREATORS


def test_texts_are_one_line_without_what_xml_cannot_say() -> None:
    kept = Metadata.of([" Ada\n Noon ", "\x00\x1b", "\ud800Bo\ufffe"], "a\tb", "", None)
    assert kept == Metadata(("Ada Noon", "Bo"), "a b")


def test_all_of_it_fits_into_one_message_of_a_decoder() -> None:
    long = "\N{GRINNING FACE}" * 10_000
    kept = Metadata.of([long] * 100, long, long, 300)
    assert (len(kept.creators), len(kept.rights)) == (MOST_CREATORS, MOST_CHARACTERS)
    assert len(json.dumps(asdict(kept))) < MOST_BYTES - 2000


def test_what_a_decoder_tells_comes_back_as_it_was() -> None:
    kept = Metadata(("Ada",), "rights", "credit", 300)
    assert Metadata.told(json.loads(json.dumps(asdict(kept)))) == kept
