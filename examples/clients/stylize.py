"""Paint a photograph like an artwork, with nothing but Python's standard library.

    python examples/clients/stylize.py PHOTO ARTWORK OUT [OPTION=VALUE...]

ARTWORK is a file, or a name of GET /styles. API_URL says where the service is, API_KEY is a key if it asks for one.
"""

import base64
import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ATTEMPTS = 5
BUSY = (429, 503)


class StylizeError(Exception):
    """The service refused: `problem` is its problem+json, with `type`, `detail` and `request_id`."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status}: {problem.get('detail', 'no explanation')}")
        self.status = status
        self.problem = problem


def stylize(
    photo: Path,
    artwork: Path | str,
    *,
    url: str = "http://127.0.0.1:8080",
    key: str | None = None,
    timeout: float = 130,
    **options: Any,
) -> tuple[bytes, dict[str, Any]]:
    """Paint, and try again while the service is busy.

    Args:
        photo: file of the photograph.
        artwork: file of an artwork, or a name from the service's catalogue.
        url: of the service.
        key: if the service asks for one.
        timeout: seconds without an answer: 10 more than the service's deadline, so that it gives up first.
        options: size, strength, budget, ... as the API has them.

    Returns:
        The picture's bytes, and the report on how it came about.

    Raises:
        StylizeError: the service refused.
        OSError: it cannot be reached, or did not answer in time.
    """
    style = {"style_name": artwork} if isinstance(artwork, str) else {"style": _base64(artwork)}
    body = json.dumps({"content": _base64(photo)} | style | options).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(f"{url}/stylize", body, headers)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                report: dict[str, Any] = json.load(answer)
                return base64.b64decode(report.pop("image")), report
        except urllib.error.HTTPError as error:
            with error:
                if error.code not in BUSY or attempt == ATTEMPTS:
                    raise StylizeError(error.code, _problem(error.read())) from None
                given = error.headers.get("Retry-After", "")
            time.sleep(int(given) if given.isdigit() else 2**attempt)
    raise AssertionError("the last attempt returns or raises")


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _problem(body: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(body)
    except ValueError:  # something on the way answered in the service's place
        return {}
    return problem if isinstance(problem, dict) else {}


def main() -> None:
    """The command line."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    photo, artwork, out, *given = sys.argv[1:]
    options = {name: _value(text) for name, _, text in (option.partition("=") for option in given)}
    try:
        picture, report = stylize(
            Path(photo),
            Path(artwork) if Path(artwork).is_file() else artwork,
            url=os.environ.get("API_URL", "http://127.0.0.1:8080"),
            key=os.environ.get("API_KEY"),
            **options,
        )
    except (StylizeError, OSError) as error:
        sys.exit(str(error))
    Path(out).write_bytes(picture)
    print(json.dumps(report, indent=2))


def _value(text: str) -> Any:
    """Numbers as numbers, as JSON wants them."""
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    main()
