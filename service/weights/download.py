"""A file from the web: progress bar, checksum, and one sentence for each way in which it can fail."""

import hashlib
import http.client
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

from tqdm import tqdm

from service.weights.errors import WeightsError

_CHUNK = 1 << 20
_BY_HAND = (
    "check the network and the proxy, or fetch the file by other means and name it instead of the backbone"
)


def download(url: str, destination: Path, *, sha256: str, timeout: float = 30.0) -> None:
    """Fetch `url` into the new file `destination`.

    Proxies and certificates are those of the environment (HTTPS_PROXY, SSL_CERT_FILE). What has been written
    when it fails is the caller's to remove, along with the folder it is in.

    Args:
        url: http or https.
        destination: where to; must not exist.
        sha256: its SHA-256, lower-case hexadecimal.
        timeout: seconds of silence after which the server is given up.

    Raises:
        WeightsError: no connection, an error status, a web page in place of the file, a connection cut before
            the end, or a wrong checksum.
        OSError: the disk is full or cannot be written.
    """
    digest = hashlib.sha256()
    with _open(url, timeout) as response:
        if response.headers.get_content_type() == "text/html":
            raise WeightsError(f"{url} answered with a web page in place of the file: {_BY_HAND}")
        length = response.headers.get("Content-Length", "")
        expected = int(length) if length.isdecimal() else None
        received = 0
        with (
            destination.open("xb") as file,
            tqdm(
                total=expected,
                desc=destination.name,
                unit="B",
                unit_scale=True,
                disable=not sys.stderr.isatty(),
            ) as bar,
        ):
            while chunk := _read(response, url):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                bar.update(len(chunk))
    if expected is not None and received != expected:
        raise WeightsError(f"{url} was cut off after {received:,} of {expected:,} bytes: try again")
    if digest.hexdigest() != sha256:
        raise WeightsError(
            f"{url} has the wrong checksum (SHA-256 {digest.hexdigest()}, expected {sha256}): "
            "what came is not the published file; try again, and do not use it"
        )


def _open(url: str, timeout: float) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "stylize"})
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise WeightsError(f"{url} answered {error.code} {error.reason}: {_BY_HAND}") from error
    except (OSError, http.client.HTTPException) as error:
        raise WeightsError(f"{url} could not be reached ({_reason(error)}): {_BY_HAND}") from error
    return response


def _read(response: IO[bytes], url: str) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise WeightsError(f"{url} was cut off ({_reason(error)}): try again") from error


def _reason(error: BaseException) -> str:
    inner = getattr(error, "reason", None) or error
    return "no answer in time" if isinstance(inner, TimeoutError) else str(inner) or type(inner).__name__
