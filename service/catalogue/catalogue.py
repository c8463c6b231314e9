"""The catalogue: what the folder holds now, ready to be listed and to be painted with."""

import difflib
import hashlib
import logging
import threading
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from service.catalogue import folder as folders
from service.catalogue.cache import Cache
from service.catalogue.credits import CREDITS_FILE, Credits, CreditsError, parse_credits
from service.catalogue.folder import File, LeftOutError
from service.images import Decoded, ImageError, deliver, on_white
from service.images.decoders import Decoder, Pool, shared_pool
from service.messages import quote
from service.style import reduce

log = logging.getLogger(__name__)

THUMBNAIL_SIDE = 256
_THUMBNAIL_QUALITY = 85
_LOOK_SECONDS = 1.0
# Forty pictures of a megapixel, or ten of four.
_CACHE_BYTES = 128 << 20


@dataclass(frozen=True)
class Preview:
    """What is known of a picture after it has been decoded once.

    Attributes:
        digest: SHA-256 of the file.
        width, height: pixels, upright.
        thumbnail: JPEG, its longest side THUMBNAIL_SIDE at most.
        etag: changes with the thumbnail.
    """

    digest: str
    width: int
    height: int
    thumbnail: bytes
    etag: str


@dataclass(frozen=True)
class Style:
    """One artwork of the catalogue."""

    name: str
    file: File
    credits: Credits
    preview: Preview

    @property
    def title(self) -> str:
        """As the credits have it, or else made of the name."""
        return self.credits.title or self.name.replace("-", " ").replace("_", " ").capitalize()


class Catalogue:
    """The artworks of a folder. What changes there is noticed once a second while it is watched.

    What cannot be used is left out and logged, once for each change of it; the rest stays.

    Args:
        folder: None: there is no catalogue, and it stays empty.
        max_pixels: of a picture.
        cache_bytes: of decoded pictures that are kept.
        decoders: that read them; those of this process unless given.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        max_pixels: int,
        cache_bytes: int = _CACHE_BYTES,
        decoders: Pool | None = None,
    ) -> None:
        self._folder = folder
        self._max_pixels = max_pixels
        self._cache = Cache(cache_bytes)
        self._decoders = decoders or shared_pool()
        self._styles: Mapping[str, Style] = MappingProxyType({})
        self._seen: dict[File, Preview | str] = {}  # a text: why it cannot be used
        self._credits: dict[str, Credits] = {}
        self._said: set[str] = set()
        self._looking = threading.Lock()
        self._looked = folder is None
        self._stopped = threading.Event()

    @property
    def styles(self) -> Mapping[str, Style]:
        """All of them as of the last look, by their names and in their order."""
        return self._styles

    @property
    def loaded(self) -> bool:
        """Whether the folder has been looked at: before that the list is empty whatever is there."""
        return self._looked

    def artwork(self, style: Style, decoder: Decoder | None = None) -> Decoded | None:
        """The picture of a style; None where its file has been changed or taken away since.

        Args:
            style: one of `styles`.
            decoder: that reads the file, where the caller has one; else one is borrowed.
        """
        picture = self._cache.get(style.file)
        if picture is None:
            try:
                digest, picture = self._decode(style.file, decoder)
            except LeftOutError:
                return None
            if digest != style.preview.digest:
                return None
            self._cache.put(style.file, picture)
        return picture

    def complaint(self, name: str) -> str:
        """What to say to somebody who asks for a name that there is not."""
        if self._folder is None:
            return (
                f"{quote(name)} is not a known style, because this service has no catalogue: send the artwork as a "
                "file."
            )
        close = difflib.get_close_matches(name[:64], self._styles, n=1)  # slow for long texts
        hint = (
            f"did you mean {close[0]}? GET /styles lists all of them." if close else "GET /styles lists them."
        )
        return f"{quote(name)} is not a style of this service: {hint}"

    def look(self) -> None:
        """See what is in the folder now; waits where another thread is looking."""
        if self._folder is None:
            return
        with self._looking:
            self._look(self._folder)
            self._looked = True

    def _look(self, folder: Path) -> None:
        try:
            files, complaints = folders.artworks(folder)
        except OSError as error:
            self._say([f"{folder} cannot be read ({error.strerror}): the styles stay as they were."])
            return
        complaints += self._read_credits(folder)
        self._seen = {file: self._seen.get(file) or self._preview(file) for file in files.values()}
        styles = {}
        for name, file in files.items():
            preview = self._seen[file]
            if isinstance(preview, str):
                complaints.append(f"{file.path.name} is left out: {preview}")
            else:
                styles[name] = Style(name, file, self._credits.get(name, Credits()), preview)
        self._cache.keep_only(set(files.values()))
        changed = styles != self._styles
        self._styles = MappingProxyType(styles)
        self._say(complaints)
        if changed:
            log.info("%d styles in the catalogue: %s", len(styles), ", ".join(styles))

    def watch(self) -> None:
        """Look now, and again and again, on a thread of its own, until `stop`."""
        if self._folder is not None:
            threading.Thread(target=self._watch, name="catalogue", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def _watch(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # whatever it is, the next look may go well
                log.exception("the catalogue could not be looked at")
            if self._stopped.wait(_LOOK_SECONDS):
                return

    def _preview(self, file: File) -> Preview | str:
        try:
            digest, picture = self._decode(file)
            self._cache.put(file, picture)
            small = reduce(picture.rgb, THUMBNAIL_SIDE)
            thumbnail = deliver(small, "jpeg", _THUMBNAIL_QUALITY, None)
        except LeftOutError as reason:
            return str(reason)
        except Exception:  # one picture must not keep the others away, nor the service from starting
            log.exception("%s could not be decoded", file.path.name)
            return "there was an unexpected error, which has been logged."
        width, height = picture.size
        return Preview(digest, width, height, thumbnail, hashlib.sha256(thumbnail).hexdigest()[:32])

    def _decode(self, file: File, decoder: Decoder | None = None) -> tuple[str, Decoded]:
        """The file's SHA-256, and its picture."""
        try:
            data = file.path.read_bytes()
            with (
                self._decoders.borrow(max_pixels=self._max_pixels)
                if decoder is None
                else nullcontext(decoder) as any_decoder
            ):
                picture = any_decoder.picture(data, counted=False)
        except ImageError as error:
            raise LeftOutError(f"{error}.") from None
        except OSError as error:
            raise LeftOutError(f"it cannot be read ({error.strerror}).") from None
        # In memory of its own: that of a decoder holds a file descriptor, and the cache holds many pictures.
        rgb = picture.rgb.clone() if picture.alpha is None else on_white(picture.rgb, picture.alpha)
        return hashlib.sha256(data).hexdigest(), replace(picture, rgb=rgb, alpha=None)

    def _read_credits(self, folder: Path) -> list[str]:
        """Take over what styles.toml says now, and return what is wrong with it; if all is, nothing changes."""
        try:
            text = folders.find(folder, CREDITS_FILE).path.read_text("utf-8-sig")
            self._credits, complaints = parse_credits(text)
        except CreditsError as error:
            return [f"{error} Until then the credits stay as they were."]
        except (LeftOutError, OSError, ValueError) as error:
            if not (folder / CREDITS_FILE).is_symlink() and not (folder / CREDITS_FILE).exists():
                self._credits = {}
                return []
            return [f"{CREDITS_FILE} is left out: {error}"]
        return complaints

    def _say(self, complaints: list[str]) -> None:
        """Log what has not been logged at the last look."""
        for complaint in complaints:
            if complaint not in self._said:
                log.warning(complaint)
        self._said = set(complaints)
