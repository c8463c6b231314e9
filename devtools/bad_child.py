"""A decoder that does to some files what broken codecs do; a process of tests runs it in place of the real one."""

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from service.images.decoders import child

CRASHES, LOOPS, EATS, IS_KILLED = b"crashes", b"loops", b"eats", b"is killed"


def answer(job: Mapping[str, Any], data: bytes) -> child.Answer:
    """As the real one's, but for files that end with one of the words above."""
    if data.endswith(CRASHES):
        ctypes.string_at(0)
    while data.endswith(LOOPS):
        pass
    if data.endswith(EATS):
        bytearray(10 << 30)
    if data.endswith(IS_KILLED):
        os.kill(os.getpid(), signal.SIGKILL)
    return child.answer(job, data)


if __name__ == "__main__":
    child.serve(socket.socket(fileno=int(sys.argv[1])), answer)
