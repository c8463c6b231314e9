"""Some decoders, lent to one request each."""

import atexit
import functools
import hashlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from service.images import errors
from service.images.decode import Decoded, Pixels
from service.images.decoders import memfd
from service.images.decoders.process import PROGRAM, DiedError, Process
from service.images.errors import BrokenImage, ImageError, TooCostly, TooManyPixels, TooManyPixelsTogether
from service.images.formats import sniff
from service.images.labels import Labels
from service.images.metadata import Metadata

log = logging.getLogger(__name__)

SIZE = 2
"""Decoders. Each takes a whole core for a moment, and memory."""

SECONDS = 10.0
"""Of a decoder's CPU that the pictures of one request may take, all together."""

PICTURES = 4
"""So many times the pixels of the largest picture may all pictures of one request have together."""

BYTES_PER_PIXEL = 32
FIXED_BYTES = 128 << 20
"""Of memory that a decoder may take: for each pixel of the largest picture that is accepted, and beside them."""

Cause = Literal["crash", "time", "memory", "exit"]
"""Of a decoder's death: a signal of its codec's; its limit of CPU time; the kernel, out of memory; none of these."""

_LOOK_SECONDS = 0.02
_MOST_JOBS = 1000  # of one process; whatever its libraries lose is little by then
_RETRY_SECONDS = 1.0


class Pool:
    """Decoders that are replaced when they die.

    They are started when the first one is wanted, and end with the service.

    Args:
        size: how many there are.
        program: what their processes run.
        seconds: of a decoder's CPU for the pictures of one request.

    Attributes:
        on_death: called with the cause when a decoder ends in place of an answer.
    """

    def __init__(self, size: int = SIZE, program: Sequence[str] = PROGRAM, seconds: float = SECONDS) -> None:
        self.on_death: Callable[[Cause], object] = lambda _: None
        self._seconds = seconds
        self._size = size
        self._program = program
        self._changed = threading.Condition()
        self._idle: list[Process] = []
        self._lent = 0
        self._failed = False  # to start the last one
        self._keeper: threading.Thread | None = None
        self._closed = False

    @property
    def idle(self) -> int:
        """How many could be lent at once."""
        return len(self._idle)

    def start(self) -> None:
        """Start all of them, and wait until they can be used, or it has turned out that they cannot."""
        with self._changed:
            self._keep()
            self._changed.wait_for(lambda: len(self._idle) + self._lent >= self._size or self._failed)

    def close(self) -> None:
        """End all of them."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            while self._idle:
                self._idle.pop().end()

    @contextmanager
    def borrow(
        self,
        look: Callable[[], object] = lambda: None,
        *,
        max_pixels: int = 40_000_000,
        heic: bool = False,
        name: str = "",
    ) -> Iterator["LentDecoder"]:
        """A decoder for the pictures of one request, within one budget of pixels and seconds.

        Args:
            look: called again and again while there is something to wait for; what it raises ends that.
            max_pixels: of one picture.
            heic: whether HEIC is read too.
            name: of the request, for the log.

        Raises:
            MemoryError: there is no decoder, as none can be started.
        """
        process = self._take(look)
        try:
            yield LentDecoder(
                process,
                look,
                max_pixels=max_pixels,
                heic=heic,
                name=name,
                seconds=self._seconds,
                on_death=self.on_death,
            )
        finally:
            self._give_back(process)

    def _take(self, look: Callable[[], object]) -> Process:
        with self._changed:
            self._keep()
            while True:
                while self._idle:
                    process = self._idle.pop()
                    if process.usable:
                        self._lent += 1
                        return process
                    process.end()
                    self._changed.notify_all()
                if self._closed or (self._failed and not self._lent):
                    raise MemoryError("no decoder can be started")
                self._changed.wait(_LOOK_SECONDS)
                look()

    def _give_back(self, process: Process) -> None:
        usable = process.usable and process.jobs < _MOST_JOBS and not self._closed
        if not usable:
            process.end()
        with self._changed:
            self._lent -= 1
            if usable:
                self._idle.append(process)
            self._changed.notify_all()

    def _keep(self) -> None:
        """See to it that somebody starts what is missing; the lock is held."""
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._start_missing, name="decoders", daemon=True)
            self._keeper.start()

    def _start_missing(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or len(self._idle) + self._lent < self._size)
                if self._closed:
                    return
            process = self._started()
            with self._changed:
                self._failed = process is None
                if process is not None:
                    self._idle.append(process)
                self._changed.notify_all()
                if process is None:
                    self._changed.wait(_RETRY_SECONDS)

    def _started(self) -> Process | None:
        try:
            process = Process(self._program)
        except OSError as error:
            log.error("no decoder can be started: %s", error.strerror)
            return None
        try:
            process.begin()
        except DiedError as error:
            log.error("%s before it could begin", error, extra={"complaint": error.complaint})
            process.end()
            return None
        return process


class LentDecoder:
    """A decoder that has been lent to one request. Not for several threads."""

    def __init__(
        self,
        process: Process,
        look: Callable[[], object],
        *,
        max_pixels: int,
        heic: bool,
        name: str,
        seconds: float,
        on_death: Callable[["Cause"], object],
    ) -> None:
        self._process = process
        self._look = look
        self._max_pixels = max_pixels
        self._heic = heic
        self._name = name
        self._on_death = on_death
        self._most = PICTURES * max_pixels
        self._pixels = self._most  # that are left
        self._seconds = seconds  # that are left

    def picture(self, data: bytes, wanted: int | None = None, *, counted: bool = True) -> Decoded:
        """See `Decoder`."""
        told, file = self._ask({"wanted": wanted}, data, counted)
        planes = _mapped(file).reshape(told["shape"])
        alpha = planes[3:] if len(planes) > 3 else None
        metadata = Metadata.told(told["metadata"])
        return Decoded.of(
            Pixels(planes[:3], alpha, told["format"], tuple(told["size"]), told["icc"], metadata)
        )

    def labels(self, data: bytes, longest: int) -> Labels:
        """See `Decoder`."""
        told, file = self._ask({"longest": longest, "managed": False}, data)
        codes = _mapped(file).view(np.int32).reshape(told["shape"])
        return Labels.of(told["colours"], codes, tuple(told["size"]), told["format"])

    def _ask(self, job: dict[str, Any], data: bytes, counted: bool = True) -> tuple[dict[str, Any], int]:
        self._look()
        limit = min(self._max_pixels, self._pixels) if counted else self._max_pixels
        job |= {
            "max_pixels": limit,
            "heic": self._heic,
            "memory": FIXED_BYTES + BYTES_PER_PIXEL * self._max_pixels,
            "seconds": self._seconds if counted else SECONDS,
        }
        try:
            told, file = self._process.ask(job, data, self._look)
        except DiedError as error:
            raise self._judged(error, data) from None
        except OSError as error:  # there are no descriptors left, or no memory for the file
            raise MemoryError(f"a decoder cannot be asked: {error.strerror}") from error
        if counted:
            self._seconds = max(0.0, self._seconds - told["seconds"])
        if file is not None:
            self._pixels -= told["pixels"] if counted else 0
            return told, file
        wrong = _errors()[told["error"]](*told["arguments"])
        if isinstance(wrong, TooManyPixels) and wrong.actual * limit <= wrong.limit * self._max_pixels:
            raise TooManyPixelsTogether(self._most)
        raise wrong

    def _judged(self, death: DiedError, data: bytes) -> Exception:
        """Whose fault it was; the log has what is needed to find out more."""
        kind = sniff(data) or "unknown"
        log.warning(
            "%s over a file of a request",
            death,
            extra={
                "request_id": self._name,
                "format": kind,
                "file_bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "complaint": death.complaint,
            },
        )
        match death.signal:
            case None:
                cause: Cause = "exit"
                error: Exception = RuntimeError(str(death))
            case signal.SIGKILL:  # of the kernel, which was out of memory; a limit of ours is another signal
                cause, error = "memory", MemoryError(str(death))
            case signal.SIGXCPU:
                cause, error = "time", TooCostly("time")
            case _:
                cause, error = "crash", BrokenImage(f"the {kind} file cannot be decoded: save it again")
        self._on_death(cause)
        return error


@functools.cache
def shared_pool() -> Pool:
    """The one of this process."""
    pool = Pool()
    atexit.register(pool.close)
    return pool


@functools.cache
def _errors() -> dict[str, type[ImageError]]:
    return {kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type)}


def _mapped(file: int) -> Any:
    try:
        return memfd.map_array(file)
    finally:
        os.close(file)
