"""Whether the public port answers, as a client sees it: a probe that looks elsewhere says 200 for a dead port."""

import http.client
import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

READY_SECONDS = 4.0
"""Without an answer: nobody should be sent here."""

ALIVE_SECONDS = 13.0
"""Without an answer: the process has to be started again. A busy service answers in far less."""

_PAUSE_SECONDS = 0.5


class Door:
    """Knocks at the public port again and again, and knows when it was last opened.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answered: float | None = None  # nobody has knocked yet

    @property
    def silence(self) -> float:
        """Seconds without an answer; 0 where nobody knocks."""
        return 0.0 if self._answered is None else self._clock() - self._answered

    def watch(self, host: str, port: int) -> None:
        """Knock from now on, on a thread of its own."""
        self._answered = self._clock()
        threading.Thread(target=self._knock_on, args=(host, port), name="door", daemon=True).start()

    def knock(self, host: str, port: int, seconds: float = ALIVE_SECONDS) -> bool:
        """Whether there is an answer, whatever it says, within so many seconds."""
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
        try:
            connection.request("GET", "/readyz", headers={"Connection": "close"})
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        self._answered = self._clock()
        return True

    def _knock_on(self, host: str, port: int) -> None:
        while True:
            self.knock(host, port)
            time.sleep(_PAUSE_SECONDS)
