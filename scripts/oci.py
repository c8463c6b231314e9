"""A packaged chart as an OCI archive, for registries that are filled from files: oci.py CHART.tgz ARCHIVE.tar.

What `helm push` would make of it (https://helm.sh/docs/topics/registries): a manifest, the chart's metadata as its
configuration, and the package as its one layer. `skopeo copy oci-archive:ARCHIVE docker://...` takes it anywhere.
"""

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import yaml

CONFIG = "application/vnd.cncf.helm.config.v1+json"
LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def archive(chart: bytes) -> bytes:
    """The archive of a packaged chart; the same chart gives the same bytes.

    Raises:
        KeyError: it has no Chart.yaml.
    """
    with tarfile.open(fileobj=io.BytesIO(chart)) as members:
        name = next(
            each for each in members.getnames() if each.count("/") == 1 and each.endswith("/Chart.yaml")
        )
        file = members.extractfile(name)
        assert file is not None
        metadata: dict[str, Any] = yaml.safe_load(file)
    blobs: dict[str, bytes] = {}

    def keep(data: bytes, media_type: str) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    names = {
        "org.opencontainers.image.title": metadata["name"],
        "org.opencontainers.image.version": metadata["version"],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": keep(_json(metadata), CONFIG),
        "layers": [keep(chart, LAYER)],
        "annotations": names,
    }
    entry = keep(_json(manifest), MANIFEST)
    entry["annotations"] = {"org.opencontainers.image.ref.name": metadata["version"]}
    files = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json({"schemaVersion": 2, "manifests": [entry]}),
        **blobs,
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as members:
        for path, data in sorted(files.items()):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            members.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


if __name__ == "__main__":
    source, destination = map(Path, sys.argv[1:])
    destination.write_bytes(archive(source.read_bytes()))
