"""Every metric of the service, declared once. Names end in their unit; labels come from fixed sets."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.gc_collector import GCCollector

from service import __version__
from service.machine import gpu_memory
from service.problems import PROBLEMS, GivenUp, Outcome, ProblemType

STAGES = ("read_body", "decode", "queue", "optimise", "encode")
INPUT_PICTURES = (
    "content",
    "style",
    "content_mask",
    "style_mask",
    "init_image",
    "strength_mask",
    "anchor_image",
    "anchor_mask",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# The route of every request that fits none, so that a scanner cannot make time series.
UNMATCHED = "unmatched"
# nginx's number for a client that closed the connection; it reaches log and metrics only.
CLIENT_CLOSED_REQUEST = 499

# A step is at most 1.5 from 0.1 s, where a GPU's pictures begin, to the default deadline: a quantile is wrong by no
# more. Those above are for longer deadlines.
_SECONDS = (
    *(0.005, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 4, 6, 8, 12),
    *(16, 20, 30, 40, 50, 60, 80, 100, 120, 180, 300, 600, 1200, 3600),
)
_STAGE_SECONDS = (0.001, 0.005, 0.01, *_SECONDS[1:])
_BYTES = tuple(2**power for power in range(16, 26))  # 64 KiB to 32 MiB
_EVALUATION_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_PIXELS = (0.1e6, 0.25e6, 0.5e6, 1e6, 2e6, 4e6, 8e6, 16e6, 32e6, 64e6)

# They would be a second series for each counter, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]


def _is(state: str, current: Callable[[], str]) -> float:
    return float(current() == state)


def _class(code: int) -> str:
    return f"{code // 100}xx"


class Metrics:
    """The metrics of one process, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

        self.http_requests = self._counter(
            "stylize_http_requests", "Answers, without probes and scrapes.", ("route", "method", "code")
        )
        self.http_seconds = self._histogram(
            "stylize_http_request_duration_seconds",
            "From the first line of a request to its answer.",
            _SECONDS,
            ("route", "code_class"),
        )
        self.body_bytes = self._histogram(
            "stylize_http_request_body_bytes", "Bodies of requests to paint that were read.", _BYTES
        )
        self.answer_bytes = self._histogram(
            "stylize_http_response_body_bytes", "Answers with a picture.", _BYTES
        )
        self.cut_short = self._counter(
            "stylize_http_responses_cut_short",
            "Answers that their client did not take whole: it left, or was slow.",
        )
        self.requests = self._counter(
            "stylize_requests", "What each request to paint came to; the sum is their number.", ("outcome",)
        )
        self.stage_seconds = self._histogram(
            "stylize_stage_duration_seconds",
            "Stages of a request to paint, of those that came to an end.",
            _STAGE_SECONDS,
            ("stage",),
        )
        self.wait_seconds = self._histogram(
            "stylize_queue_wait_seconds",
            "The stage queue again, by the priority of the key: usual, or batch.",
            _STAGE_SECONDS,
            ("priority",),
        )
        self.problems = self._counter(
            "stylize_problems", "Answers of every route that were a problem, by its type.", ("type",)
        )
        self.input_pixels = self._histogram(
            "stylize_input_pixels", "Pictures that were sent.", _PIXELS, ("image",)
        )
        self.working_pixels = self._histogram(
            "stylize_working_pixels",
            "Photographs and artworks as they are kept, reduced.",
            _PIXELS,
            ("image",),
        )
        self.input_images = self._counter(
            "stylize_input_images", "Pictures that were sent, by their real format.", ("format",)
        )
        self.input_profiles = self._counter(
            "stylize_input_profiles",
            "Colour profiles of pictures that were sent; ignored ones were broken.",
            ("conversion",),
        )
        self.decoder_deaths = self._counter(
            "stylize_decoder_deaths",
            "Decoders that ended over a file of a request, which the log names, by cause.",
            ("cause",),
        )
        self.queue_depth = self._gauge("stylize_queue_depth", "Requests that wait for the engine.")
        self.batch_queue_depth = self._gauge(
            "stylize_batch_queue_depth", "Of those, requests of batch keys, which wait behind the others."
        )
        self.queue_capacity = self._gauge("stylize_queue_capacity", "Requests that may wait for the engine.")
        self.max_budget = self._gauge(
            "stylize_max_budget_seconds", "What one picture may take the engine at most: a setting."
        )
        self.deadline = self._gauge(
            "stylize_deadline_seconds", "From a request to its answer at most: a setting."
        )
        self.in_flight = self._gauge(
            "stylize_in_flight", "Requests that hold a place: uploading, waiting or running."
        )
        self.keys_stale = self._gauge(
            "stylize_api_keys_stale",
            "1 while the file of keys has a mistake, so that the keys from before stay valid.",
        )
        self.busy_seconds = self._counter(
            "stylize_engine_busy_seconds", "Time spent optimising: its rate is the utilisation, 0 to 1."
        )
        self.key_requests = self._counter(
            "stylize_key_requests",
            "Requests to paint that came with a key, by its name in the file.",
            ("key",),
        )
        self.key_engine_seconds = self._counter(
            "stylize_key_engine_seconds",
            "Time spent optimising for a key, by its name in the file.",
            ("key",),
        )
        self.evaluations = self._counter("stylize_evaluations", "Evaluations of loss and gradient.")
        self.evaluation_seconds = self._histogram(
            "stylize_evaluation_duration_seconds",
            "Evaluations of loss and gradient, with the step of the optimiser that each belongs to.",
            _EVALUATION_SECONDS,
        )
        self.discarded = self._counter(
            "stylize_evaluations_discarded", "Evaluations whose picture was never delivered.", ("reason",)
        )
        self.out_of_memory = self._counter("stylize_oom", "Pictures for which there was not enough memory.")
        self.engine_state = self._gauge("stylize_engine_state", "1 for the state that it is in.", ("state",))
        self.heartbeat = self._gauge(
            "stylize_engine_heartbeat_timestamp_seconds", "When the engine last made progress, Unix time."
        )
        for what, text in (
            ("allocated", "that tensors hold"),
            ("reserved", "that torch holds, for tensors now and later"),
            ("peak", "that tensors held at most"),
            ("total", "that there is"),
        ):
            self._gauge(
                f"stylize_gpu_memory_{what}_bytes", f"Memory of the GPU {text}; 0 without a GPU."
            ).set_function(partial(gpu_memory, what))
        self.load_seconds = self._gauge("stylize_model_load_seconds", "Loading the network, at start.")
        self.warmup_seconds = self._gauge("stylize_warmup_seconds", "The first pictures, at start.")
        self.build_info = self._gauge(
            "stylize_build_info",
            "1, with what runs here.",
            ("version", "backbone", "weights", "torch", "device"),
        )

        # A series that appears with its first event hides that event from rate().
        for outcome in get_args(Outcome):
            self.requests.labels(outcome)
        for stage in STAGES:
            self.stage_seconds.labels(stage)
        for priority in ("usual", "batch"):
            self.wait_seconds.labels(priority)
        for reason in (*get_args(GivenUp), "oom", "error"):
            self.discarded.labels(reason)
        for image in INPUT_PICTURES:
            self.input_pixels.labels(image)
        for image in ("content", "style"):
            self.working_pixels.labels(image)
        for image_format in ("jpeg", "png", "webp", "avif", "tiff", "heic"):
            self.input_images.labels(image_format)
        for conversion in ("none", "converted", "ignored"):
            self.input_profiles.labels(conversion)
        for cause in ("crash", "time", "memory", "exit"):
            self.decoder_deaths.labels(cause)
        for slug in PROBLEMS:
            self.problems.labels(slug)

    def expect_requests(self, routes: Iterable[str]) -> None:
        """Count from 0 what comes of requests to paint on these routes."""
        codes = {200, 304, CLIENT_CLOSED_REQUEST, *(problem.status for problem in PROBLEMS.values())}
        for route in routes:
            for code in sorted(codes):
                self.http_requests.labels(route, "POST", str(code))
                self.http_seconds.labels(route, _class(code))

    def expect_keys(self, names: Iterable[str]) -> None:
        """Count from 0 what these keys ask for. They are the file's, so that no caller can make time series."""
        for name in names:
            self.key_requests.labels(name)
            self.key_engine_seconds.labels(name)

    def built(self, *, backbone: str, weights: str, torch: str, device: str) -> None:
        """Say what was loaded. `weights`: the first digits of their SHA-256."""
        self.build_info.labels(__version__, backbone, weights, torch, device).set(1)

    def follow_state(self, states: Iterable[str], current: Callable[[], str]) -> None:
        """Ask `current` for the engine's state at each scrape."""
        for state in states:
            self.engine_state.labels(state).set_function(partial(_is, state, current))

    def answered(
        self, route: str, method: str, code: int, seconds: float, trace_id: str | None = None
    ) -> None:
        """Count one answer.

        Args:
            route: the rule that the request fits, never the path as it was sent.
            method: of the request; one that HTTP does not know is counted as "other".
            code: of the answer.
            seconds: that it took.
            trace_id: of the request; an exemplar of its bucket, so that a slow one can be looked at. None: none.
        """
        method = method if method in METHODS else "other"
        self.http_requests.labels(route, method, str(code)).inc()
        exemplar = None if trace_id is None else {"trace_id": trace_id}
        self.http_seconds.labels(route, _class(code)).observe(seconds, exemplar)

    def not_http(self, problem: ProblemType) -> None:
        """Count the answer to something that has no path and no method, as it cannot be read."""
        self.http_requests.labels(UNMATCHED, "other", str(problem.status)).inc()
        self.problems.labels(problem.slug).inc()

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)
