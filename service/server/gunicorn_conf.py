"""How gunicorn serves the application. It runs in the master too, so nothing here may import torch.

One worker: one copy of the network, one queue, one set of metrics. More throughput is more containers.
"""

import faulthandler
import logging
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from service.machine import wait_without_spinning
from service.monitoring import logging_config
from service.server import times
from service.server.master import keep_to_one_worker
from service.settings import SettingsError, load_settings

# For probes and refusals, and clients that are slow to take them: a thread must always be free for the next.
RESERVE_THREADS = 32
MOST_FILES = 4096
# For all that is no client of the public port: the administrative port, decoders, libraries.
OTHER_FILES = 192
# Each picture of a request is mapped from a file (service/images/decoders/memory.py) until the request is done.
FILES_PER_PLACE = 16

try:
    _settings = load_settings()
except SettingsError as _error:
    print(_error, file=sys.stderr)
    sys.exit(2)

wait_without_spinning()  # the worker inherits it

wsgi_app = "service.api:create_app()"
bind = [f"{_settings.url_host}:{_settings.port}"]

# The sync worker is killed during long requests. The threads of this one are the only bound of its own,
# invisible queue, so there have to be more of them than places.
worker_class = "service.server.worker.Worker"
workers = 1
threads = _settings.places + RESERVE_THREADS
preload_app = False  # CUDA and threads do not survive a fork

# More connections at once than there are file descriptors for would end the loop that accepts them.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
_files = _hard if _hard != resource.RLIM_INFINITY else MOST_FILES
resource.setrlimit(resource.RLIMIT_NOFILE, (max(_soft, min(_files, MOST_FILES)), _hard))
_kept = OTHER_FILES + FILES_PER_PLACE * _settings.places
worker_connections = max(threads + 8, min(1000, min(_files, MOST_FILES) - _kept))

# Not a limit of requests, but of how long the whole process may hang before it is replaced.
timeout = 60
graceful_timeout = times.after(_settings.deadline, times.DRAINED)  # from SIGTERM
keepalive = 75  # longer than the 60 s after which load balancers give up idle connections
max_requests = 0  # a new worker would load the network again
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # the heartbeat must not wait for a disk
control_socket_disable = True  # would write into the home directory, which may be read-only

# What a proxy says about a client changes nothing here, and nobody else may say it.
forwarded_allow_ips = ""
forwarder_headers = ""

accesslog = None  # the application writes one line for each request
loglevel = _settings.log_level
logconfig_dict = logging_config(_settings.log_level)


def on_starting(server: Any) -> None:
    """In the master, before anything else: keep it to one worker, and lose no SIGTERM on the way to it.

    Between its fork and its own handlers a worker has those of the master, which would only remember a signal that
    nobody asks for again. Held back over the fork, it ends the worker, in which there is nothing to finish yet.
    """
    keep_to_one_worker(server)
    held = {signal.SIGTERM}
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, held),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, held),
        after_in_child=_end_on_sigterm,
    )


def _end_on_sigterm() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def post_worker_init(worker: Any) -> None:
    """In the worker: start the administrative port and the engine, while requests are already answered."""
    faulthandler.enable()  # where all threads are, if a library ends the process
    from service.api import create_admin_app, service_of
    from service.engine import EXIT_STOPS_MASTER
    from service.server.admin import serve_admin

    service = service_of(worker.wsgi)
    try:
        serve_admin(create_admin_app(service), service.settings.host, service.settings.admin_port)
    except OSError as error:
        worker.log.critical(
            "STYLIZE_ADMIN_PORT is %d, which cannot be had (%s): set another.",
            service.settings.admin_port,
            error.strerror,
        )
        logging.shutdown()
        os._exit(EXIT_STOPS_MASTER)
    for address in (listener.getsockname() for listener in worker.sockets[:1]):
        service.door.watch(*address[:2])
    service.tracing.start()
    service.engine.start()


def worker_exit(server: Any, worker: Any) -> None:
    """In the worker, at its end: let its threads return, so that nothing runs while Python shuts down."""
    from service.api import service_of

    if getattr(worker, "wsgi", None) is not None:
        service_of(worker.wsgi).stop()
