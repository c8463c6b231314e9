"""The smallest client that can ask for a picture with its report."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from PIL import Image

LONGEST_WAIT = 3600.0
"""Seconds without an answer after which the service is given up."""


class ServiceError(Exception):
    """There is no picture; the message says in one sentence why."""


@dataclass(frozen=True)
class Painted:
    """A picture with what the service says about it: StylizeReport of openapi.yaml, without the picture."""

    picture: Image.Image
    report: Mapping[str, Any]


@dataclass(frozen=True)
class Client:
    """A running service.

    Attributes:
        url: its address, like http://127.0.0.1:8080.
        key: that it asks for, if any.
    """

    url: str
    key: str | None = None

    def paint(
        self,
        path: str,
        options: Mapping[str, object],
        *,
        content: Path | None = None,
        styles: Sequence[Path] = (),
        others: Mapping[str, Path | Sequence[Path]] | None = None,
    ) -> Painted:
        """One picture.

        Args:
            path: of the operation, like /stylize.
            options: by the names of the API.
            content: file of the photograph, if the operation takes one.
            styles: files of the artworks, if it takes some.
            others: files by the names of the API: content_mask, style_mask (several), init_image.

        Raises:
            ServiceError: there is no service, or it answers with a problem.
        """
        body: dict[str, object] = {**options, "format": "png"}
        if content is not None:
            body["content"] = _base64(content)
        if styles:
            body["style"] = [_base64(style) for style in styles]
        for name, files in (others or {}).items():
            body[name] = _base64(files) if isinstance(files, Path) else [_base64(each) for each in files]
        report = self._post(path, body)
        picture = Image.open(io.BytesIO(base64.b64decode(report.pop("image")))).convert("RGB")
        return Painted(picture, report)

    def _post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            answer = requests.post(self.url + path, json=body, headers=headers, timeout=LONGEST_WAIT)
        except requests.RequestException as error:
            raise ServiceError(
                f"No service answers at {self.url} ({error}): start one with `python -m service serve`."
            ) from None
        if not answer.ok:
            raise ServiceError(f"{path}: {_detail(answer)}")
        found: dict[str, Any] = answer.json()
        return found


def _detail(answer: requests.Response) -> str:
    """What the service says is wrong; its status where it is not this service."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the answer is {answer.status_code} {answer.reason}."


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
