"""Traces by OpenTelemetry, where the standard variables OTEL_… say where they go.

Spans have the names of routes, commands and steps, and nothing of what they were about. Where no
variable is set the library is not even loaded.
"""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Self

from api.operation.metrics import Metrics
from api.operation.requests import Request
from store.watching import Watcher

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.trace import Span

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_NOTHING = nullcontext()


class TracingUnusable(ValueError):
    """Traces are wanted, and cannot be made."""


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the standard variables ask for traces."""
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    none = environment.get("OTEL_TRACES_EXPORTER", "otlp").lower() == "none"
    return any(environment.get(name) for name in ENDPOINTS) and not (off or none)


class Tracing:
    """Makes spans. Close it when done, so that the last ones are sent."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("dealstate")
        self._kind = SpanKind.SERVER
        self._failed = StatusCode.ERROR
        self._context = TraceContextTextMapPropagator()

    @classmethod
    def configured(cls, release: str) -> Self | None:
        """By the environment; None where it wants no traces. Raises TracingUnusable."""
        if not is_wanted(os.environ):
            return None
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError:
            raise TracingUnusable(
                "OTEL_… variables ask for traces, which take the extra `telemetry`:"
                " pip install 'dealstate[telemetry]'"
            ) from None
        protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        if protocol != "http/protobuf":
            raise TracingUnusable(f"traces go out by http/protobuf, and not by {protocol}")
        return cls.over(BatchSpanProcessor(OTLPSpanExporter()), release)

    @classmethod
    def over(cls, processor: "SpanProcessor", release: str) -> Self:
        """Spans that go to a processor."""
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        named = {"service.version": release}
        if "OTEL_SERVICE_NAME" not in os.environ:
            named["service.name"] = "dealstate"
        provider = TracerProvider(resource=Resource.create(named))
        provider.add_span_processor(processor)
        return cls(provider)

    def request(self, traceparent: str | None) -> "AbstractContextManager[Span]":
        """Around a request; the trace of whoever asks goes on."""
        carrier = {} if traceparent is None else {"traceparent": traceparent}
        return self._tracer.start_as_current_span(
            "request",
            context=self._context.extract(carrier),
            kind=self._kind,
            record_exception=False,
            set_status_on_exception=False,
        )

    def tell(self, span: "Span", request: Request, status: int) -> None:
        """What became of the request, by the names of OpenTelemetry for HTTP."""
        span.update_name(f"{request.method} {request.route}")
        span.set_attribute("http.request.method", request.method)
        span.set_attribute("http.route", request.route)
        span.set_attribute("http.response.status_code", status)
        if request.code is not None:
            span.set_attribute("dealstate.problem", request.code)
        if status >= 500:
            span.set_status(self._failed)

    def step(self, name: str) -> "AbstractContextManager[Span]":
        """Around something that is done for a request."""
        # What an exception says may quote what people wrote.
        return self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        )

    def name_command(self, command: str, result: str) -> None:
        """Say of the span that is open what was carried out."""
        from opentelemetry.trace import get_current_span

        span = get_current_span()
        span.set_attribute("dealstate.command", command)
        span.set_attribute("dealstate.result", result)

    def close(self) -> None:
        self._provider.shutdown()


def id_of(span: "Span") -> tuple[str, str]:
    """The ids of its trace and of itself, as hexadecimal text."""
    context = span.get_span_context()
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


class Watching(Watcher):
    """Tells metrics and traces what a log does."""

    def __init__(self, metrics: Metrics, tracing: Tracing | None) -> None:
        self._metrics = metrics
        self._tracing = tracing

    def step(self, name: str) -> AbstractContextManager[Any]:
        return _NOTHING if self._tracing is None else self._tracing.step(name)

    def carried_out(self, command: str, result: str) -> None:
        self._metrics.carried_out(command, result)
        if self._tracing is not None:
            self._tracing.name_command(command, result)
