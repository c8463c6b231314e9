"""Files on a disk that may fill up, written so that a failure leaves nothing behind."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from service.weights.errors import WeightsError


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, 64 lower-case hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path`: other processes see the old file or the whole new one, never a part.

    Raises:
        OSError: it cannot be written; the old file is untouched and no temporary file stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        # Not tempfile: its files are readable by their owner alone, and the server may run as somebody else.
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # else the new name itself may be lost with the power
    finally:
        os.close(directory)


@contextmanager
def workspace(directory: Path) -> Iterator[Path]:
    """Make a scratch folder inside `directory` (made too, where missing), and remove it come what may.

    It is on the same disk as the result, since /tmp is often a small file system in memory.

    Raises:
        WeightsError: the disk is full or may not be written to, here or in the body.
    """
    existed = directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".provisioning-", dir=directory))
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise WeightsError(_sentence(error, directory)) from error
    finally:
        if not existed:
            with suppress(OSError):
                directory.rmdir()  # only if nothing came to be in it


def _sentence(error: OSError, directory: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk that holds {directory} is full: free some space there, or choose another --dir"
    reason = error.strerror or str(error)
    return f"{directory} cannot be written ({reason}): change its permissions, or choose another --dir"
