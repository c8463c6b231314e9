"""The process that decodes: one file after the other, until the service closes its end or a limit ends it.

It has no network, no torch, no secrets, and nobody's file but the one that it is asked about. Every message is one
JSON object, and a file: what was sent one way, the pixels the other. No pickles: whoever has taken over a codec could
take over the service with one.
"""

import faulthandler
import json
import math
import os
import resource
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from service.images.codecs import load_codecs
from service.images.decode import read_pixels
from service.images.decoders import memfd
from service.images.errors import ImageError, TooCostly
from service.images.labels import find_labels

MOST_BYTES = 1 << 16
"""Of a message."""

Answer = tuple[dict[str, Any], list[NDArray[Any]]]


def serve(connection: socket.socket, answer: Callable[[Mapping[str, Any], bytes], Answer]) -> None:
    """Answer until there is nobody at the other end."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # where memory runs out, this process ends and not the service (proc(5))
        Path("/proc/self/oom_score_adj").write_text("1000")
    load_codecs()
    mapped = _mapped()
    connection.send(b"{}")  # it may begin
    while True:
        message, files, _, _ = socket.recv_fds(connection, MOST_BYTES, 1)
        if not message:
            return
        job = json.loads(message)
        data = memfd.take(files[0])
        os.close(files[0])
        _limit(mapped + job.pop("memory"), job.pop("seconds"))
        begun = time.process_time()
        try:
            told, arrays = answer(job, data)
        except MemoryError:
            told, arrays = {"error": TooCostly.__name__, "arguments": ["memory"]}, []
        told["seconds"] = time.process_time() - begun
        del data
        if arrays:
            file = memfd.put_arrays(arrays)
            socket.send_fds(connection, [json.dumps(told).encode()], [file])
            os.close(file)
        else:
            connection.send(json.dumps(told).encode())


def answer(job: Mapping[str, Any], data: bytes) -> Answer:
    """What is told about a picture, and its pixels: colours and, if there is any, alpha; or the codes of labels.

    Args:
        job: the arguments of `read_pixels`; and `longest` where labels are wanted, see `find_labels`.
        data: the file.
    """
    arguments = dict(job)
    longest = arguments.pop("longest", None)
    try:
        pixels = read_pixels(data, **arguments)
        told = {"format": pixels.format, "size": pixels.size, "icc": pixels.icc, "pixels": pixels.rgb[0].size}
        if longest is not None:
            colours, codes = find_labels(pixels.rgb, longest)
            return told | {"colours": colours, "shape": codes.shape}, [codes]
    except ImageError as error:
        return {"error": type(error).__name__, "arguments": error.args}, []
    told |= {"metadata": asdict(pixels.metadata)}
    planes = [pixels.rgb] if pixels.alpha is None else [pixels.rgb, pixels.alpha]
    return told | {"shape": (len(planes) + 2, *pixels.rgb.shape[1:])}, planes


def _limit(memory: int, seconds: float) -> None:
    """Bytes of addresses in all, and seconds of CPU from now on: the kernel ends what takes more."""
    hard = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_AS, (memory, hard))
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), hard))


def _mapped() -> int:
    """Bytes of addresses that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), answer)
