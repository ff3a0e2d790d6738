"""/metrics: what is counted, by which names, and that the names are few."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.settings import Settings
from domain.lifecycle.commands import AddNote, OpenOpportunity
from domain.refusals import Refusal
from store.log import DealLog
from tests.api.serving import HOLDER, app_of, serving
from tests.contract.asking import intent


@pytest.fixture
def client(own_store: str) -> Iterator[TestClient]:
    with serving(own_store) as client:
        yield client


Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    """Every sample by its name and labels."""
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def count(found: Samples, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


def test_requests_are_counted_by_the_template_of_their_route(client: TestClient) -> None:
    for deal in ("d-press", "d-mill", "nobody"):
        client.get(f"/v1/deals/{deal}")
    client.get("/v1/deals", params={"limit": "many"})
    found = samples(client.get("/metrics").text)
    route, name = "/v1/deals/{deal_id}", "dealstate_http_requests_total"
    assert count(found, name, route=route, method="GET", status="200") == 2
    assert count(found, name, route=route, method="GET", status="404") == 1
    timed = "dealstate_http_request_duration_seconds_count"
    assert count(found, timed, route=route, method="GET") == 3
    assert count(found, "dealstate_http_problems_total", code="deal-not-found") == 1
    assert count(found, "dealstate_http_problems_total", code="invalid-parameter") == 1
    assert count(found, "dealstate_http_requests_in_flight") == 1


def test_whatever_clients_make_up_comes_under_one_label(client: TestClient) -> None:
    client.get("/metrics")
    for number in range(20):
        client.get(f"/nothing/{number}")
        client.request(f"MADE{number}", "/v1/deals")
    text = client.get("/metrics").text
    labels = set(re.findall(r"dealstate_http_requests_total\{([^}]*)\}", text))
    assert {'method="GET",route="(none)",status="404"'} < labels
    assert not any("nothing" in one or "MADE" in one for one in labels)
    assert len(labels) <= 5


def test_commands_are_counted_by_name_and_result(client: TestClient) -> None:
    log: DealLog = client.app.state.store.log  # type: ignore[attr-defined]

    opened = OpenOpportunity("Deal", owner="u-anna", currency="USD")
    for _ in range(2):
        log.handle("d-1", opened, intent("c-1"))
    log.handle("d-1", AddNote("Call."), intent("c-2"))
    with pytest.raises(Refusal):
        log.handle("nobody", AddNote("None."), intent("c-3"))
    found = samples(client.get("/metrics").text)
    for command, result in (
        ("OpenOpportunity", "done"),
        ("OpenOpportunity", "repeated"),
        ("AddNote", "done"),
        ("AddNote", "refused"),
    ):
        assert count(found, "dealstate_commands_total", command=command, result=result) == 1
    assert count(found, "dealstate_feed_head") == log.head()


def test_the_read_models_are_told_of(client: TestClient) -> None:
    client.get("/v1/deals")
    found = samples(client.get("/metrics").text)
    for model in ("audit", "deals", "deal-periods"):
        labels = frozenset({("model", model)})
        assert found["dealstate_read_model_lag_events", labels] == 0
        assert found["dealstate_read_model_lag_seconds", labels] == 0
        assert found["dealstate_read_model_parked_streams", labels] == 0
    for state in ("pending", "dead"):
        labels = frozenset({("state", state)})
        assert found["dealstate_webhook_deliveries", labels] == 0


def test_the_setting_opens_them_and_nothing_else(own_store: str) -> None:
    from api.app import create_app

    for opened, status in ((False, 401), (True, 200)):
        settings = Settings(db=own_store, worker=False, open_metrics=opened)
        with TestClient(create_app(settings), base_url="http://127.0.0.1:8000") as client:
            assert client.get("/metrics").status_code == status
            assert client.get("/v1/status").status_code == 401


_TWO = """
import os, sys
from api.operation.figures import Figures
from api.operation.metrics import Metrics
metrics = Metrics("1")
child = os.fork()
metrics.carried_out("AddNote", "done")
if child == 0:
    metrics.carried_out("AddNote", "done")
    os._exit(0)
os.waitpid(child, 0)
class Store:
    def read(self):
        return Figures(True, 7)
sys.stdout.buffer.write(metrics.told(Store()))
"""


def test_what_several_processes_counted_is_added_up(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _TWO],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
    ).stdout
    found = samples(told)
    assert count(found, "dealstate_commands_total", command="AddNote", result="done") == 3
    assert count(found, "dealstate_feed_head") == 7
    assert not any(name.startswith("process_") for name, _ in found)


def test_an_error_that_nobody_foresaw_is_a_problem_with_an_id_and_is_counted(
    own_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_of(Settings(db=own_store, worker=False), HOLDER)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        monkeypatch.setattr(app.state.store.log, "processes", lambda: 1 / 0)
        answer = client.get("/v1/processes")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
        assert answer.headers["x-request-id"]
        found = samples(client.get("/metrics").text)
    name = "dealstate_http_requests_total"
    assert count(found, name, route="/v1/processes", method="GET", status="500") == 1
