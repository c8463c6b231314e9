"""HEIC, the format of iPhones' cameras: off by default, as its decoder is an extra and had many holes."""

import functools
import io

from PIL import ImageFile

from service.machine import why_no_heic


def open_heic(data: io.BytesIO) -> ImageFile.ImageFile:
    """Read the header. The picture comes out upright, whatever its Exif data say (ISO/IEC 23008-12, 6.5.10).

    Raises:
        ImportError: pillow-heif is missing or too old.
        Exception: whatever the decoder raises at damaged files.
    """
    return _plugin()(data)


@functools.cache
def _plugin() -> type[ImageFile.ImageFile]:
    """Pillow's plugin, but not registered: only this module opens HEIC files."""
    if problem := why_no_heic():
        raise ImportError(problem)
    import pillow_heif

    # The picture and nothing else, on the thread that asks for it.
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    plugin: type[ImageFile.ImageFile] = pillow_heif.HeifImageFile
    return plugin
