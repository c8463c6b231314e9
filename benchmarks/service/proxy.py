"""HAProxy or nginx in front of instances, configured as docs/run/operations.md says."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from devtools.running import free_ports
from devtools.serving import wait_until

HAPROXY = """\
defaults
    mode http
    timeout connect 1s
    timeout client 130s
    timeout server 130s
    timeout http-request 15s
    retries 3
    option redispatch 1
    retry-on conn-failure
    http-reuse never

frontend public
    bind 127.0.0.1:{port}
    default_backend stylize

backend stylize
    balance leastconn
    option httpchk GET /readyz
    http-check expect status 200
    default-server check inter 500ms fall 1 rise 1
{servers}
"""

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


@contextmanager
def serving(program: str, instances: Sequence[int]) -> Iterator[int]:
    """Run the proxy before instances on these ports of this machine; yields its own port.

    Raises:
        ProxyMissingError: there is no such program.
    """
    path = found(program)
    nginx = Path(path).name.startswith("nginx")
    (port,) = free_ports(1)
    line = "        server 127.0.0.1:{1} max_fails=0;" if nginx else "    server instance{0} 127.0.0.1:{1}"
    servers = "\n".join(line.format(number, each) for number, each in enumerate(instances, start=1))
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "proxy.conf"
        configuration.write_text(
            (NGINX if nginx else HAPROXY).format(port=port, servers=servers, folder=folder)
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
