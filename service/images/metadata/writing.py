"""The same things in Exif, for programs that read no XMP."""

from PIL import Image

from service.images.metadata.kept import Metadata

_TAGS = {"artist": 0x013B, "copyright": 0x8298}  # Exif 2.32, 4.6.4
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _INCH = 0x011A, 0x011B, 0x0128, 2


def exif_data(metadata: Metadata) -> bytes:
    """Exif data of a result; empty where there is nothing to say. Texts are UTF-8, as everywhere."""
    exif = Image.Exif()
    texts = {"artist": "; ".join(metadata.creators), "copyright": metadata.rights}
    for name, text in texts.items():
        if text:
            exif[_TAGS[name]] = text.encode()
    if metadata.dpi is not None:
        exif[_X_RESOLUTION] = exif[_Y_RESOLUTION] = metadata.dpi
        exif[_RESOLUTION_UNIT] = _INCH
    return exif.tobytes() if len(exif) else b""
