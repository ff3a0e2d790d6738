"""Traces: which spans there are, what they tell, whose trace they go on; none where unwanted."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.operation.traces import Tracing, TracingUnusable, is_wanted
from domain.lifecycle.commands import AddNote, OpenOpportunity
from store.log import DealLog
from tests.api.serving import serving
from tests.contract.asking import intent

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
PERSONAL = "Wilhelmina"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Of the services made from here on."""
    found = InMemorySpanExporter()
    over = Tracing.over
    monkeypatch.setattr(
        Tracing, "configured", lambda release: over(SimpleSpanProcessor(found), release)
    )
    return found


@pytest.fixture
def client(own_store: str, spans: InMemorySpanExporter) -> Iterator[TestClient]:
    with serving(own_store) as client:
        yield client


def by_name(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {one.name: one for one in spans.get_finished_spans()}


def test_a_request_goes_on_with_the_trace_of_its_client(
    client: TestClient, spans: InMemorySpanExporter
) -> None:
    client.get(f"/v1/deals/d-press?as_of=2026-03-01&x={PERSONAL}", headers={"traceparent": PARENT})
    client.get("/v1/deals", headers={"traceparent": PARENT})
    found = by_name(spans)
    request, read = found["GET /v1/deals"], found["read models"]
    assert f"{request.context.trace_id:032x}" == TRACE
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == "b7ad6b7169203331"
    assert read.parent is not None
    assert read.parent.span_id == request.context.span_id
    assert dict(request.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/v1/deals",
        "http.response.status_code": 200,
    }
    refused = found["GET /v1/deals/{deal_id}"]
    assert dict(refused.attributes or {})["dealstate.problem"] == "invalid-parameter"


def test_the_steps_of_a_command_have_spans_and_tell_nothing_of_it(
    client: TestClient, spans: InMemorySpanExporter
) -> None:
    log: DealLog = client.app.state.store.log  # type: ignore[attr-defined]
    opened = OpenOpportunity(PERSONAL, owner="u-anna", currency="USD")
    log.handle("d-1", opened, intent("c-1"))
    log.handle("d-1", AddNote(f"Ask {PERSONAL}."), intent("c-2"))
    client.get(f"/v1/deals?account={PERSONAL}")
    client.get(f"/v1/deals/{PERSONAL}")
    finished = spans.get_finished_spans()
    commands = [one for one in finished if one.name == "command"]
    assert [dict(one.attributes or {}) for one in commands] == [
        {"dealstate.command": "OpenOpportunity", "dealstate.result": "done"},
        {"dealstate.command": "AddNote", "dealstate.result": "done"},
    ]
    for name in ("stand", "load", "decide", "append"):
        parents = [one.parent for one in finished if one.name == name]
        assert [one and one.span_id for one in parents] == [one.context.span_id for one in commands]
    assert PERSONAL not in "".join(one.to_json() for one in finished)
    assert "d-1" not in "".join(one.to_json() for one in finished)


def test_an_error_is_told_without_its_words(
    client: TestClient, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing() -> None:
        raise KeyError(PERSONAL)

    monkeypatch.setattr(client.app.state.store.log, "processes", failing)  # type: ignore[attr-defined]
    assert client.get("/v1/processes").status_code == 500
    found = by_name(spans)["GET /v1/processes"]
    assert not found.status.is_ok
    assert PERSONAL not in found.to_json()


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
    ],
)
def test_the_standard_variables_say_whether(environment: dict[str, str], *, wanted: bool) -> None:
    assert is_wanted(environment) is wanted


def test_another_protocol_is_told_and_not_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(TracingUnusable, match="grpc"):
        Tracing.configured("1")


def test_off_the_library_is_not_loaded() -> None:
    code = (
        "import sys\n"
        "from api.operation.observing import Observing\n"
        "from api.operation.traces import Tracing\n"
        "assert Tracing.configured('1') is None\n"
        "assert not [one for one in sys.modules if one.startswith('opentelemetry.sdk')]"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    subprocess.run([sys.executable, "-c", code], check=True, env=clean)
