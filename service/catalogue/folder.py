"""Which files of a folder are artworks, and that nothing outside of the folder can be reached through it."""

import re
import stat
from pathlib import Path
from typing import NamedTuple

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".tif", ".tiff"})
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class File(NamedTuple):
    """A file with all its links followed. It is another one as soon as its content may be.

    Attributes:
        path: inside the folder, of a regular file.
        stamp: device, inode, size, and when (ns) its content and its permissions changed last.
    """

    path: Path
    stamp: tuple[int, ...]


class LeftOutError(Exception):
    """A file that cannot be used; the message is what the operator should know, without the file's name."""


def find(folder: Path, entry: str) -> File:
    """One entry of a folder.

    Links are followed, as Kubernetes mounts files as links into `..data`, which is a link itself; but not to a
    place outside of the folder.

    Raises:
        LeftOutError: it leads out of the folder, is no regular file, or cannot be looked at.
    """
    try:
        root = folder.resolve(strict=True)
        path = (root / entry).resolve(strict=True)
        if not path.is_relative_to(root):
            raise LeftOutError("it is a link that leads out of the folder: put the file itself there.")
        found = path.stat()
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise LeftOutError(f"it cannot be read ({getattr(error, 'strerror', None) or error}).") from None
    if not stat.S_ISREG(found.st_mode):
        raise LeftOutError("it is not a file.")
    return File(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))


def artworks(folder: Path) -> tuple[dict[str, File], list[str]]:
    """The pictures of a folder by their names, and one sentence for each that is left out.

    A name is the file's without its suffix. Entries that begin with a dot and files of other suffixes do not count.

    Raises:
        OSError: the folder cannot be read.
    """
    files: dict[str, File] = {}
    left_out = []
    for entry in sorted(path.name for path in folder.iterdir()):
        name, suffix = Path(entry).stem, Path(entry).suffix
        if entry.startswith(".") or suffix.lower() not in SUFFIXES:
            continue
        try:
            if not _NAME.fullmatch(name):
                raise LeftOutError(
                    "names have small letters, digits, - and _, at most 64: rename it, like starry-night.jpg."
                )
            if name in files:
                raise LeftOutError(f"{files[name].path.name} has the same name: rename one of them.")
            files[name] = find(folder, entry)
        except LeftOutError as reason:
            left_out.append(f"{entry} is left out: {reason}")
    return files, left_out
