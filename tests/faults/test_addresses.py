"""The service listens where it is told to, on both of its ports."""

import socket

import pytest
import requests

from devtools.running import Server


def _without_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return False
    except OSError:
        return True


@pytest.mark.skipif(_without_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::", "[::]"])
def test_of_every_address_is_of_both_versions(host: str) -> None:
    with Server(STYLIZE_HOST=host) as server:
        for address in ("[::1]", "127.0.0.1"):
            assert requests.get(f"http://{address}:{server.port}/readyz", timeout=10).status_code == 200
            assert requests.get(f"http://{address}:{server.admin_port}/livez", timeout=10).status_code == 200
        said = [line["message"] for line in server.log()]
    assert f"metrics and probes at http://[::]:{server.admin_port}" in said


@pytest.mark.skipif(_without_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_of_ipv6_alone_is_of_that_alone(host: str) -> None:
    with Server(STYLIZE_HOST=host) as server:
        assert requests.get(f"http://[::1]:{server.admin_port}/livez", timeout=10).status_code == 200
        for port in (server.port, server.admin_port):
            with pytest.raises(requests.ConnectionError):
                requests.get(f"http://127.0.0.1:{port}/readyz", timeout=10)
