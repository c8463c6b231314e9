"""The name of an answer that its request determines: who has it need not have it painted again.

That is so for a request with `iterations`. With a `budget` the clock has a say in what the picture looks like, as
it has where the server's time limit ends it: such answers have no name. ETag and If-None-Match are those of RFC 9110
(8.8.3, 13.1.2), but for one thing: it wants 412 for a POST, as that might change something, and this one never does.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

import PIL
from flask import Response
from werkzeug.datastructures import ETags

from service import __version__
from service.api.paint import body as submission
from service.api.paint.answer import Asked
from service.engine.jobs import Model
from service.images.labels import MAX_LABELS

_NAMED = ("image/", submission.JSON)


@dataclass(frozen=True)
class EntityTag:
    """The name of one answer. A weak one is for answers that differ in what does not matter, such as timings."""

    digest: str
    weak: bool

    def known_to(self, names: ETags) -> bool:
        """Whether If-None-Match has this name. `*` has none: nothing is kept here that it could mean."""
        return not names.star_tag and names.contains_weak(self.digest)

    def put_on(self, response: Response) -> Response:
        """Name an answer. Its client may keep it, and ask whether it is still right."""
        response.set_etag(self.digest, self.weak)
        response.headers["Cache-Control"] = "private, no-cache"
        response.vary.add("Accept")
        return response

    def not_modified(self) -> Response:
        """The answer to a client that has it already."""
        response = Response(status=304)
        del response.headers["Content-Type"]
        return self.put_on(response)


def entity_tag(model: Model, asked: Asked, media_type: str) -> EntityTag | None:
    """The name that the answer will have, if nothing ends the work before its time.

    Args:
        model: that is going to paint.
        asked: the request.
        media_type: of the answer.
    """
    options = asdict(asked.options)
    if options["iterations"] is None or options["budget"] is not None or not media_type.startswith(_NAMED):
        return None
    del options["time_limit"]
    determined = {
        "service": __version__,
        "pillow": PIL.__version__,
        "torch": model.torch,
        "weights": model.weights,
        "device": model.device,
        "arithmetic": model.arithmetic,
        "operation": asked.sent.operation.path,
        "memory": model.memory_in_the_way(
            len(asked.sent.styles) + len(asked.named),
            asked.options,
            MAX_LABELS if asked.sent.content_mask is not None else 0,
        ),
        "pictures": [_digest(data) for data in (asked.sent.content, *asked.sent.styles)],
        # Apart from those, which may be decoded at less than their size.
        "named": [style.preview.digest for style in asked.named],
        "content_mask": _digest(asked.sent.content_mask),
        "style_masks": [_digest(data) for data in asked.sent.style_masks],
        "init_image": _digest(asked.sent.init_image),
        "options": options,
        "format": asked.format,
        "quality": asked.sent.options.quality,
        "json": media_type == submission.JSON,
    }
    digest = hashlib.sha256(json.dumps(determined).encode()).hexdigest()[:32]
    return EntityTag(digest, weak=media_type == submission.JSON)


def _digest(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()
