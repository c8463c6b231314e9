"""Who may come in: the bearer keys of a file, which may change while the service runs."""

import hashlib
import hmac
import logging
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger(__name__)

# 128 bits as `openssl rand -hex 16` writes them.
SHORTEST = 32
# How often the file is looked at, in seconds; a revoked key works that much longer.
_LOOK_SECONDS = 1.0
_BATCH = "batch"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
# RFC 6750, section 2.1: what can be sent after "Bearer".
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class KeysError(Exception):
    """The file of keys cannot be used.

    Attributes:
        problems: one sentence for each mistake; none of them repeats a key.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


class Key(NamedTuple):
    """One line of the file. The key itself is not kept.

    Attributes:
        name: whose key it is.
        digest: the SHA-256 of the key.
        batch: whether its requests wait behind those of the others.
    """

    name: str
    digest: bytes
    batch: bool = False


class Keys:
    """The keys of a file. The file is read again when it changes, within about a second.

    A changed file that cannot be used leaves the keys as they were, and is logged.

    Args:
        path: the file; see `read_keys`. It may be a link that is put elsewhere, as Kubernetes does with Secrets.
        clock: monotonic seconds.

    Raises:
        KeysError: the file cannot be used now.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._stamp = _stamp(path)  # before the file is read: what changes meanwhile is seen at the next look
        self._keys = read_keys(path)
        self._stale = False
        self._next_look = clock() + _LOOK_SECONDS
        self._looking = threading.Lock()

    @property
    def names(self) -> list[str]:
        """Of all who have a key, each once."""
        return sorted({key.name for key in self._keys})

    @property
    def stale(self) -> bool:
        """Whether the file has changed into one that cannot be used, so that the keys from before are still valid."""
        self._look()
        return self._stale

    def find(self, token: str) -> Key | None:
        """The line of this key; None where it is nobody's.

        Takes the same time whichever key fits, and whether one does.
        """
        self._look()
        digest = _digest(token)
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def _look(self) -> None:
        """Read the file again where it has changed; one thread does, and the others do not wait for it."""
        if self._clock() < self._next_look or not self._looking.acquire(blocking=False):
            return
        try:
            self._next_look = self._clock() + _LOOK_SECONDS
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            try:
                self._keys = read_keys(self._path)
            except KeysError as error:
                self._stale = True
                log.error("%s The %d keys from before stay valid.", error, len(self._keys))
            else:
                self._stale = False
                log.info("the keys have changed: those of %s are valid", ", ".join(self.names))
        finally:
            self._looking.release()


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys of a file with one `name:key` on each line; empty lines and those that begin with # do not count.

    In `name:key batch`, requests with this key wait behind those of the others.

    The name is what the log calls the caller. A name may have several keys, so that a new one can be handed out
    before the old one is taken away.

    Raises:
        KeysError: the file cannot be read, has no keys, or has mistakes; all of them at once.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for, for ever
            raise KeysError([f"{path} is not a file: give a file with keys."])
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise KeysError([f"{path} cannot be read ({error.strerror}): give a file with keys."]) from None
    except UnicodeDecodeError:
        raise KeysError([f"{path} is not a text file: write one name:key on each line."]) from None
    keys: dict[bytes, Key] = {}
    problems = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, rest = (part.strip() for part in line.partition(":"))
        token, *words = rest.split() or [""]
        where = f"Line {number} of {path}"
        if not (_NAME.fullmatch(name) and _TOKEN.fullmatch(token) and words in ([], [_BATCH])):
            problems.append(
                f"{where} is not of the form name:key: write a name of letters, digits, dots and dashes, a colon, "
                f"and a key as from `openssl rand -hex 32`; only the word {_BATCH} may follow it."
            )
        elif len(token) < SHORTEST:
            problems.append(
                f"{where}: the key of {name} has {len(token)} characters: give at least {SHORTEST}, as from "
                "`openssl rand -hex 32`."
            )
        elif (digest := _digest(token)) in keys and keys[digest].name != name:
            problems.append(
                f"{where}: {name} has the same key as {keys[digest].name}: give each its own, or the log cannot "
                "tell them apart."
            )
        else:
            keys[digest] = Key(name, digest, batch=bool(words))
    if not keys and not problems:
        problems.append(
            f"{path} has no keys, so nobody could use the service: write one name:key on each line."
        )
    if problems:
        raise KeysError(problems)
    return tuple(keys.values())


def _digest(token: str) -> bytes:
    # Equal lengths for the comparison, whatever was sent.
    return hashlib.sha256(token.encode()).digest()


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What changes with the file, also when a link on the way to it is put elsewhere; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
