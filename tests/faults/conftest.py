from collections.abc import Generator

import pytest

from devtools.running import Server


@pytest.fixture(scope="session")
def shared_server() -> Generator[Server, None, None]:
    """One for all the tests that leave it as they found it; starting one takes seconds."""
    with Server(
        STYLIZE_QUEUE_SIZE=2,
        STYLIZE_UPLOAD_STALL=0.5,
        STYLIZE_UPLOAD_TIMEOUT=1.5,
        STYLIZE_MAX_UPLOAD_BYTES=100_000,
    ) as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Generator[Server, None, None]:
    """The shared one; afterwards every place is free again, and it works."""
    yield shared_server
    shared_server.settle()
    assert shared_server.post().status_code == 200
