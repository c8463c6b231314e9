"""As much of a cluster as helm wants before it upgrades a release that it only thinks of (--dry-run=client)."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.helm.rendering import CHART, NEW, helm_binary

_ANSWERS = {
    "/version": {"major": "1", "minor": NEW.split(".")[1], "gitVersion": f"v{NEW}"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(_ANSWERS[self.path.partition("?")[0]]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name of the base class)
        pass


@contextmanager
def _api() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def upgrade(
    defaults: dict[str, Any], given: dict[str, Any], *arguments: str, folder: Path, major: str = "4"
) -> subprocess.CompletedProcess[str]:
    """Let helm upgrade the release "r" to this chart, without a cluster that would take it.

    Args:
        defaults: values of the chart that the release was made with.
        given: what was set on top of them at its installation.
        arguments: more of them for helm.
        folder: for helm's files.
        major: of helm.
    """
    metadata = {"apiVersion": "v2", "name": "stylize", "version": "0.1.0", "appVersion": "0.1.0"}
    release = {"name": "r", "namespace": "pictures", "version": 1, "info": {"status": "deployed"}}
    made = release | {"config": given, "chart": {"metadata": metadata, "values": defaults}}
    (folder / "releases.yaml").write_text(yaml.safe_dump([made]))
    with _api() as url:
        context = {"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "pictures"}}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "contexts": [context],
            "users": [{"name": "u", "user": {}}],
            "current-context": "c",
        }
        (folder / "kubeconfig").write_text(yaml.safe_dump(config))
        return subprocess.run(
            [
                str(helm_binary(major)),
                "upgrade",
                "-n",
                "pictures",
                "r",
                str(CHART),
                "--dry-run=client",
                "--hide-notes",
                *arguments,
            ],
            capture_output=True,
            text=True,
            env={
                "PATH": os.environ["PATH"],
                "HOME": "/nonexistent",
                "HELM_NO_PLUGINS": "1",
                "HELM_DRIVER": "memory",
                "HELM_MEMORY_DRIVER_DATA": str(folder / "releases.yaml"),
                "KUBECONFIG": str(folder / "kubeconfig"),
            },
            timeout=60,
            check=False,
        )
