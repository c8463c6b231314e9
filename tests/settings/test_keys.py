"""The file of keys: what it may say, and what happens when it changes."""

import hmac
import logging
import os
from pathlib import Path

import pytest

from service.settings import keys as module
from service.settings.keys import Keys, KeysError, read_keys

PHONE = "phone-0123456789abcdef0123456789abcdef"
WEB = "web-ABCDEFGHIJKLMNOPQRSTUVWXYZ+/~._=="


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"# who may come in\n\nphone:{PHONE}\n  web : {WEB}\n")
    return path


def complaints(path: Path, text: str) -> list[str]:
    path.write_text(text)
    with pytest.raises(KeysError) as raised:
        read_keys(path)
    assert str(path) in str(raised.value)
    return [problem.replace(str(path), "FILE") for problem in raised.value.problems]


def whose(keys: Keys, token: str) -> str | None:
    found = keys.find(token)
    return found.name if found else None


def test_a_key_says_who_it_belongs_to(path: Path) -> None:
    keys = Keys(path)
    assert whose(keys, PHONE) == "phone"
    assert whose(keys, WEB) == "web"
    assert keys.names == ["phone", "web"]


def test_a_key_may_be_one_whose_requests_wait_behind_the_others(path: Path) -> None:
    path.write_text(f"phone:{PHONE}\nnightly:{WEB}  batch\n")
    keys = Keys(path)
    phone, nightly = keys.find(PHONE), keys.find(WEB)
    assert phone is not None
    assert nightly is not None
    assert (phone.batch, nightly.name, nightly.batch) == (False, "nightly", True)


@pytest.mark.parametrize("token", ["", "phone", PHONE[:-1], PHONE + "a", PHONE.upper(), f"phone:{PHONE}"])
def test_anything_else_is_nobodys(path: Path, token: str) -> None:
    assert Keys(path).find(token) is None


def test_keys_themselves_are_not_kept(path: Path) -> None:
    assert PHONE not in repr(vars(Keys(path)))


def test_a_name_can_have_two_keys_while_one_takes_the_place_of_the_other(path: Path) -> None:
    path.write_text(f"phone:{PHONE}\nphone:{WEB}\n")
    keys = Keys(path)
    assert whose(keys, PHONE) == whose(keys, WEB) == "phone"
    assert keys.names == ["phone"]


def test_what_is_compared_are_digests_of_one_length_all_of_them_and_in_constant_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Keys(path)
    compared: list[tuple[int, int]] = []

    def compare(ours: bytes, theirs: bytes) -> bool:
        compared.append((len(ours), len(theirs)))
        return hmac.compare_digest(ours, theirs)

    monkeypatch.setattr(module, "hmac", type("Spy", (), {"compare_digest": staticmethod(compare)}))
    for token in (PHONE, WEB, "x"):  # the first one fits, the last one, none
        keys.find(token)
        assert compared == [(32, 32), (32, 32)]
        compared.clear()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "FILE has no keys, so nobody could use the service: write one name:key on each line."),
        (
            "# nothing\n",
            "FILE has no keys, so nobody could use the service: write one name:key on each line.",
        ),
        (
            "phone:short\n",
            "Line 1 of FILE: the key of phone has 5 characters: give at least 32, as from "
            "`openssl rand -hex 32`.",
        ),
        (
            f"\nphone {PHONE}\n",
            "Line 2 of FILE is not of the form name:key: write a name of letters, digits, dots and dashes, a colon, "
            "and a key as from `openssl rand -hex 32`; only the word batch may follow it.",
        ),
        (
            f"phone:{PHONE}\nweb:{PHONE}\n",
            "Line 2 of FILE: web has the same key as phone: give each its own, or the log cannot tell them apart.",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_without_the_key(path: Path, text: str, problem: str) -> None:
    assert complaints(path, text) == [problem]


@pytest.mark.parametrize(
    "line",
    [f":{PHONE}", f"a b:{PHONE}", f"phone:{PHONE} x", f"phone:{PHONE} batch x", f"phone:{PHONE}ä", PHONE],
)
def test_a_line_that_is_no_key_never_shows_what_it_says(path: Path, line: str) -> None:
    (problem,) = complaints(path, line)
    assert problem.startswith("Line 1 of FILE is not of the form name:key: ")
    assert PHONE not in problem


def test_all_mistakes_are_named_at_once(path: Path) -> None:
    assert len(complaints(path, f"a:b\nweb:{WEB}\nc\n")) == 2


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match=r"none cannot be read \(No such file or directory\)"):
        read_keys(tmp_path / "none")
    (tmp_path / "picture").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(KeysError, match="picture is not a text file"):
        read_keys(tmp_path / "picture")


def test_a_file_from_windows_is_read_too(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + f"phone:{PHONE}\r\n".encode())
    assert whose(Keys(path), PHONE) == "phone"


def test_a_key_that_was_taken_away_works_no_more_after_a_second_and_a_new_one_does(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    keys = Keys(path, clock=clock)
    path.write_text(f"phone:{PHONE[::-1]}\n")
    assert whose(keys, PHONE) == "phone"  # the file is not looked at for each request
    clock.now = 1.1
    assert keys.find(PHONE) is None
    assert whose(keys, PHONE[::-1]) == "phone"
    assert caplog.messages == ["the keys have changed: those of phone are valid"]


def test_a_change_is_seen_where_a_link_on_the_way_is_put_elsewhere(tmp_path: Path, clock: Clock) -> None:
    """As Kubernetes does when a Secret changes: keys -> ..data/keys, ..data -> ..2024."""
    for folder, token in (("..2024", PHONE), ("..2025", WEB)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "keys").write_text(f"phone:{token}\n")
    (tmp_path / "..data").symlink_to("..2024")
    (tmp_path / "keys").symlink_to("..data/keys")
    keys = Keys(tmp_path / "keys", clock=clock)
    assert whose(keys, PHONE) == "phone"
    (tmp_path / "..new").symlink_to("..2025")
    (tmp_path / "..new").rename(tmp_path / "..data")
    clock.now = 1.1
    assert keys.find(PHONE) is None
    assert whose(keys, WEB) == "phone"


@pytest.mark.parametrize("broken", ["", "phone\n", None])
def test_a_broken_new_file_leaves_the_keys_as_they_were_and_is_logged_once(
    path: Path, clock: Clock, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    keys = Keys(path, clock=clock)
    if broken is None:
        path.unlink()
    else:
        path.write_text(broken)
    assert not keys.stale
    for seconds in (1.1, 2.2, 3.3):
        clock.now = seconds
        assert keys.stale  # seen whether somebody asks for a picture meanwhile or not
        assert whose(keys, PHONE) == "phone"
    (message,) = caplog.messages
    assert message.endswith("The 2 keys from before stay valid.")
    path.write_text(f"web:{WEB}\n")
    clock.now = 4.4
    assert keys.find(PHONE) is None
    assert not keys.stale
    assert whose(keys, WEB) == "web"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "keys"
    os.mkfifo(pipe)
    with pytest.raises(KeysError, match="is not a file"):
        read_keys(pipe)
