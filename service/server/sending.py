"""Answers on their way out, at the pace of who takes them and not of who made them."""

import errno
import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

LEAST_BYTES_PER_SECOND = 4096
"""A client that takes less of its answer is given up, once it has had some seconds. As of an upload."""

MOST_UNSENT_BYTES = 1 << 17
"""Of an answer, in the kernel and not on its way yet: what is on its way has a bound of TCP's own."""

_LOOK_SECONDS = 0.1


class TooSlowError(BrokenPipeError):
    """The client hardly takes its answer: it is as good as gone."""


class Outgoing(socket.socket):
    """A client's connection on which one write may stay unfinished.

    What the kernel does not take at once is kept, and whoever made it need not wait: `send_rest` sends it. Only the
    next write waits, as somebody who makes an answer in pieces must not be faster than who takes it.

    Attributes:
        patience: seconds that a client has before its pace counts.
        clock: monotonic seconds.
    """

    patience: float = 10.0
    clock: Callable[[], float] = staticmethod(time.monotonic)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rest = memoryview(b"")
        self._since = 0.0  # it has not been taken as fast as it came
        self._taken = 0  # bytes, since then

    @property
    def unfinished(self) -> bool:
        """Whether a part of the last write is left; so it is where the connection broke."""
        return bool(self._rest)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send what is possible at once and keep the rest, after the rest of the write before has gone.

        Raises:
            TooSlowError: the client hardly takes it.
            OSError: the connection is broken.
        """
        writable = select.poll()
        writable.register(self, select.POLLOUT)
        while self._rest and not self.send_rest():
            writable.poll(1000 * _LOOK_SECONDS)
        self._rest = memoryview(data)
        self._since = self.clock()
        self.send_rest()
        self._taken = 0  # what the kernel takes at once says nothing about the client

    def send_rest(self) -> bool:
        """Send on, without waiting; returns whether nothing is left.

        Raises:
            TooSlowError: the client hardly takes it.
            OSError: the connection is broken.
        """
        try:
            while self._rest:
                sent = self.send(self._rest, socket.MSG_DONTWAIT)
                self._rest = self._rest[sent:]
                self._taken += sent
        except BlockingIOError:
            self.check_pace()
        return not self._rest

    def forget(self) -> None:
        """Let the kernel not send on what it has taken, for minutes and megabytes, once this is closed."""
        with suppress(OSError):
            self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def check_pace(self) -> None:
        """Raise TooSlowError where the client has been slow for too long."""
        seconds = self.clock() - self._since
        if self._rest and seconds > self.patience and self._taken < LEAST_BYTES_PER_SECOND * seconds:
            raise TooSlowError(errno.EPIPE, "the client hardly takes its answer")
