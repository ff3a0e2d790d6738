"""Metrics in the text format of Prometheus. Labels are names of the program's own, never ids.

Where several processes serve one address, each keeps its counts in files of a folder that the
environment variable PROMETHEUS_MULTIPROC_DIR names, and whichever is asked adds them up.
"""

import os
from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from api.operation.figures import Figures, StoreFigures
from api.operation.requests import Request

# When each counter began says nothing that `process_start_time_seconds` does not.
disable_created_metrics()  # type: ignore[no-untyped-call]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What one process of the service counts. Safe to use from many threads."""

    def __init__(self, release: str) -> None:
        self._shared = os.environ.get(SHARED_FOLDER)
        self._registry = CollectorRegistry()
        self._release = release
        at = self._registry
        self._requests = Counter(
            "dealstate_http_requests",
            "Requests that were answered.",
            ["route", "method", "status"],
            registry=at,
        )
        self._seconds = Histogram(
            "dealstate_http_request_duration_seconds",
            "From the head of the request to the end of the answer; streams are left out.",
            ["route", "method"],
            buckets=_BUCKETS_SECONDS,
            registry=at,
        )
        self._problems = Counter(
            "dealstate_http_problems", "Answers that tell a problem.", ["code"], registry=at
        )
        self._commands = Counter(
            "dealstate_commands",
            "Commands: done, unchanged, repeated, refused or failed.",
            ["command", "result"],
            registry=at,
        )
        self.in_flight = Gauge(
            "dealstate_http_requests_in_flight",
            "Requests that are being answered, streams included.",
            registry=at,
            multiprocess_mode="livesum",
        )
        self.open_streams = Gauge(
            "dealstate_open_streams",
            "Streams of events that are open.",
            registry=at,
            multiprocess_mode="livesum",
        )
        # Finding a child by its labels takes longer than counting.
        self._counted: dict[tuple[str, str, int], Counter] = {}
        self._timed: dict[tuple[str, str], Histogram] = {}

    def answered(self, request: Request, status: int, seconds: float, *, is_stream: bool) -> None:
        """Count a request. Labels come from the routes and from short lists."""
        route, method = request.route, request.method
        counted = self._counted.get((route, method, status))
        if counted is None:
            counted = self._requests.labels(route, method, str(status))
            self._counted[route, method, status] = counted
        counted.inc()
        if not is_stream:
            timed = self._timed.get((route, method))
            if timed is None:
                timed = self._timed[route, method] = self._seconds.labels(route, method)
            timed.observe(seconds)
        if request.code is not None:
            self._problems.labels(request.code).inc()

    def carried_out(self, command: str, result: str) -> None:
        self._commands.labels(command, result).inc()

    def told(self, figures: StoreFigures) -> bytes:
        """All of them, with those of the store."""
        registry = self._registry
        if self._shared is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, self._shared)  # type: ignore[no-untyped-call]
        telling = CollectorRegistry()
        telling.register(_Telling(figures.read(), self._release))
        if self._shared is None:
            # Of several processes it would be those of whichever happens to answer.
            ProcessCollector(registry=telling)
            GCCollector(registry=telling)
        return generate_latest(registry) + generate_latest(telling)


class _Telling(Collector):
    """Figures of the store as metrics."""

    def __init__(self, figures: Figures, release: str) -> None:
        self._figures = figures
        self._release = release

    def collect(self) -> Iterator[Metric]:
        told = self._figures
        build = GaugeMetricFamily("dealstate_build_info", "What runs.", labels=["release"])
        build.add_metric([self._release], 1)
        yield build
        yield GaugeMetricFamily(
            "dealstate_store_up", "Whether log and read models can be read.", value=int(told.is_up)
        )
        if told.head is not None:
            yield GaugeMetricFamily(
                "dealstate_feed_head", "Position of the last event.", value=told.head
            )
        lag = GaugeMetricFamily(
            "dealstate_read_model_lag_events",
            "Events that a read model has not read yet.",
            labels=["model"],
        )
        seconds = GaugeMetricFamily(
            "dealstate_read_model_lag_seconds",
            "Time since the first event was recorded that it has not read.",
            labels=["model"],
        )
        parked = GaugeMetricFamily(
            "dealstate_read_model_parked_streams",
            "Streams, most often deals, that it could not take in.",
            labels=["model"],
        )
        for one in told.models:
            lag.add_metric([one.model], one.lag_events)
            seconds.add_metric([one.model], _known(one.lag_seconds))
            parked.add_metric([one.model], one.parked)
        deliveries = GaugeMetricFamily(
            "dealstate_webhook_deliveries",
            "Deliveries that are to be sent, and such that were given up.",
            labels=["state"],
        )
        for state, count in told.deliveries.items():
            deliveries.add_metric([state], count)
        yield from (lag, seconds, parked, deliveries)


def _known(seconds: float | None) -> float:
    return float("nan") if seconds is None else seconds
