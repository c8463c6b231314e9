"""HAProxy or nginx in front of instances on this machine, configured as docs/run/operations.md says."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from devtools.running import ROOT, free_ports
from devtools.serving import wait_until

HAPROXY = ROOT / "compose" / "haproxy.cfg"
"""What users of several GPUs get."""

NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream stylize {{
        least_conn;
{servers}
    }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 20m;
        location / {{
            proxy_pass http://stylize;
            proxy_connect_timeout 1s;
            proxy_read_timeout 130s;
            proxy_next_upstream error http_503 non_idempotent;
            proxy_next_upstream_tries 2;
        }}
    }}
}}
"""


class ProxyMissingError(Exception):
    """There is no such program; the message says how to get it."""


def found(program: str) -> str:
    """Path of the proxy's program.

    Raises:
        ProxyMissingError: it is not there.
    """
    for place in (None, "/usr/sbin"):  # which is not in everybody's PATH
        if (path := shutil.which(program, path=place)) is not None:
            return path
    raise ProxyMissingError(
        f"There is no {program}: install haproxy or nginx (apt-get install haproxy), or say with --proxy where it is."
    )


def haproxy_configuration(port: int, instances: Sequence[int]) -> str:
    """compose/haproxy.cfg with this machine's addresses: its own port, and those of the instances."""
    servers = "".join(f"    server instance{each} 127.0.0.1:{each}\n" for each in instances)
    here = re.sub(r"^    bind .*", f"    bind 127.0.0.1:{port}", HAPROXY.read_text(), flags=re.MULTILINE)
    return re.sub(r"(?:^    server .*\n)+", servers, here, flags=re.MULTILINE)


def nginx_configuration(port: int, instances: Sequence[int], folder: str) -> str:
    """The same for nginx, with its files in a folder."""
    servers = "\n".join(f"        server 127.0.0.1:{each} max_fails=0;" for each in instances)
    return NGINX.format(port=port, servers=servers, folder=folder)


@contextmanager
def serving(program: str, instances: Sequence[int]) -> Iterator[int]:
    """Run the proxy before instances on these ports of this machine; yields its own port.

    Raises:
        ProxyMissingError: there is no such program.
    """
    path = found(program)
    nginx = Path(path).name.startswith("nginx")
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "proxy.conf"
        configuration.write_text(
            nginx_configuration(port, instances, folder) if nginx else haproxy_configuration(port, instances)
        )
        arguments = ["-c", str(configuration), "-p", folder] if nginx else ["-f", str(configuration)]
        log = (Path(folder) / "log").open("wb")
        process = subprocess.Popen([path, *arguments], stdout=log, stderr=subprocess.STDOUT)

        def ready() -> bool:
            assert process.poll() is None, (Path(folder) / "log").read_text()
            try:
                return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
            except requests.RequestException:
                return False

        try:
            wait_until(ready, 20)
            yield port
        finally:
            log.close()
            process.terminate()
            process.wait(10)
