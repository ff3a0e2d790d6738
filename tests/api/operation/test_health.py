"""/livez and /readyz: what is looked at, how often, and what is told."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient

from api.operation import readiness
from api.workspace import Workspace
from store.errors import StoreBusy, StoreError, StoreUnavailable
from tests.api.serving import problem, serving

SECRET = "/var/lib/anna/deals.db"
CHECKS = ["serving", "log-readable", "log-writable", "keys-readable", "read-models"]


@pytest.fixture
def client(own_store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0.0)
    with serving(own_store) as client:
        store: Workspace = client.app.state.store  # type: ignore[attr-defined]
        with store.fresh():
            pass
        yield client


def broken(*_: object, **__: object) -> object:
    raise StoreUnavailable(f"cannot read {SECRET}", "Look after it.")


def test_it_is_ready(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready", "checks": CHECKS}
    assert client.get("/livez").json() == {"status": "alive"}


@pytest.mark.parametrize(
    ("target", "name", "failed"),
    [
        ("store.log", "head", ["log-readable", "read-models"]),
        ("store.log.records", "transaction", ["log-writable"]),
        ("store.views", "reading", ["read-models"]),
    ],
)
def test_each_check_fails_by_itself_and_says_no_more_than_its_name(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, target: str, name: str, failed: list[str]
) -> None:
    owner: object = client.app.state  # type: ignore[attr-defined]
    for part in target.split("."):
        owner = getattr(owner, part)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, broken)
        found = problem(client, "/readyz", 503)
        assert found.code == "not-ready"
        assert found.detail.endswith(f"Not passed: {', '.join(failed)}.")
        assert SECRET not in client.get("/readyz").text
        assert client.get("/readyz").headers["retry-after"] == "5"
        assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_read_models_that_are_not_built_or_far_behind_are_not_ready(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "READY_LAG_EVENTS", -1)
    assert problem(client, "/readyz", 503).detail.endswith("Not passed: read-models.")


def test_a_server_about_to_end_is_not_ready_and_still_answers(client: TestClient) -> None:
    client.app.state.operation.ending.begin()  # type: ignore[attr-defined]
    assert problem(client, "/readyz", 503).detail.endswith("Not passed: serving.")
    assert client.get("/v1/deals").status_code == 200


def test_many_who_ask_cost_one_look(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 60.0)
    records = client.app.state.store.log.records  # type: ignore[attr-defined]
    transaction, looks = records.transaction, []

    @contextmanager
    def counted() -> Iterator[object]:
        looks.append(1)
        with transaction() as append:
            yield append

    monkeypatch.setattr(records, "transaction", counted)
    for _ in range(5):
        assert client.get("/readyz").status_code == 200
    assert len(looks) == 1


def test_who_asks_while_it_looks_gets_what_was_seen_last(client: TestClient) -> None:
    checks = client.app.state.operation.checks  # type: ignore[attr-defined]
    assert client.get("/readyz").status_code == 200
    with checks._looking:
        assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("error", [StoreBusy, StoreUnavailable])
def test_metrics_tell_that_the_store_is_away(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: type[StoreError]
) -> None:
    def away() -> int:
        raise error(f"cannot read {SECRET}", "Look after it.")

    assert "dealstate_store_up 1.0" in client.get("/metrics").text
    monkeypatch.setattr(client.app.state.store.log, "head", away)  # type: ignore[attr-defined]
    monkeypatch.setattr("api.operation.figures.KEPT_SECONDS", 0.0)
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert "dealstate_store_up 0.0" in answer.text
    assert SECRET not in answer.text
