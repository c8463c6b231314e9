"""styles.toml: what is understood, and what is wrong."""

import pytest

from service.catalogue import Credits
from service.catalogue.credits import CreditsError, parse_credits


def test_each_table_is_an_artwork() -> None:
    text = """
        [rose]
        title = "Rose"
        artist = "Somebody"
        year = 1889
        licence = "CC0-1.0"
        source = "https://example.org"
        [dusk]
        year = "about 1500"
    """
    assert parse_credits(text) == (
        {
            "rose": Credits(
                title="Rose", artist="Somebody", year="1889", licence="CC0-1.0", source="https://example.org"
            ),
            "dusk": Credits(year="about 1500"),
        },
        [],
    )


def test_a_line_that_is_wrong_is_named_and_the_rest_counts() -> None:
    text = '[rose]\ntitle = "Rose"\nlicense = "CC0"\nartist = 3.5\nyear = true\n[dusk]\ntitle = "Dusk"'
    found, complaints = parse_credits(text)
    assert found == {"rose": Credits(title="Rose"), "dusk": Credits(title="Dusk")}
    assert sorted(complaints) == [
        'styles.toml, [rose]: "license" is not a known field of an artwork: did you mean licence?',
        "styles.toml, [rose]: artist is 3.5: give a text of 1 to 500 characters.",
        "styles.toml, [rose]: year is true: give a text of 1 to 500 characters.",
    ]


def test_what_is_no_table_is_named() -> None:
    assert parse_credits('rose = "Rose"') == (
        {},
        ['styles.toml: "rose" is not a table: write [rose] and title = ... below it.'],
    )


def test_what_is_not_toml_says_where() -> None:
    with pytest.raises(CreditsError, match=r"styles.toml is not TOML \(.*line 2.*\): correct it"):
        parse_credits("[rose]\ntitle = Rose\n")
