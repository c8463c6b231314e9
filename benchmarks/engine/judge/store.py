"""Pictures and their measures, kept as files, so that a long run may be stopped and goes on where it was."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import Tensor

from benchmarks.engine.judge import measures
from benchmarks.engine.judge.measures.judge import Judge
from benchmarks.engine.judge.painters import Painter, checksum
from benchmarks.engine.judge.pairs import Pair
from service.images import decode


@dataclass(frozen=True)
class Judged:
    """A picture and what was measured of it.

    Attributes:
        path: of the picture.
        measures: name -> value.
    """

    path: Path
    measures: dict[str, float]

    @property
    def picture(self) -> Tensor:
        """uint8 (3, H, W)."""
        return decode(self.path.read_bytes()).rgb


class Store:
    """A folder of pictures, each named by its pair and by a checksum of all that it depends on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._measured_by = checksum([Path(measures.__file__).parent])

    def picture(self, painter: Painter, pair: Pair, size: int, seed: int) -> Path | None:
        """The picture's file, painted unless it is there; None: the painter has none of this pair."""
        files = pair.photograph.read_bytes(), pair.artwork.read_bytes()
        depends = [painter.settings.encode(), str((size, seed)).encode(), *files]
        digest = hashlib.sha256(b"".join(hashlib.sha256(each).digest() for each in depends)).hexdigest()[:16]
        path = self._folder / f"{pair.name}-{digest}.png"
        if not path.exists():
            picture = painter.paint(pair, size, seed)
            if picture is None:
                return None
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch = path.with_suffix(".part")
            Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy()).save(scratch, "png")
            scratch.replace(path)  # whole, or not there
        return path

    def judged(self, path: Path, judge: Judge) -> Judged:
        """The measures of a picture, taken unless they are there."""
        record = path.with_suffix(".json")
        if record.exists():
            kept = json.loads(record.read_text())
            if kept["by"] == self._measured_by:
                return Judged(path, kept["measures"])
        found = judge.measure(decode(path.read_bytes()).rgb)
        record.write_text(json.dumps({"by": self._measured_by, "measures": found}))
        return Judged(path, found)
