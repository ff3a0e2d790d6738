"""Rates and targets from CSV over HTTP: recorded once, told alike."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.wire.administration import TableImport
from store.location import Location
from store.log import DealLog
from tests.api.serving import serving

LONG = "date,base,currency,rate\n2026-06-30,EUR,USD,1.0812\n2026-06-30,EUR,GBP,0\n"
ECB = "Date,USD,JPY,GBP,\n2026-06-30,1.0812,157.3,0.8551,\n2026-06-29,1.08,N/A,0.85,\n"
TARGETS = (
    "period,owner,territory,unit,amount,currency\n2026-Q1,,North,,400000,EUR\n2026-Q9,,,,1,EUR\n"
)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    location = Location.beside(tmp_path / "deals.db")
    DealLog.create(location).close()
    with serving(str(location)) as client:
        yield client


def _send(client: TestClient, path: str, table: str, key: str | None = None) -> Response:
    headers = {"Content-Type": "text/csv"} | ({"Idempotency-Key": key} if key else {})
    return client.post(f"/v1/{path}", content=table.encode(), headers=headers)


def _told(response: Response) -> TableImport:
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=TableImport)


def test_rates_one_to_a_row(client: TestClient) -> None:
    report = _told(_send(client, "rates/import", LONG))
    assert (report.rows, report.counts["new"]) == (2, 1)
    assert [(one.line, one.effect) for one in report.entries] == [(3, "left-out")]
    (rate,) = client.get("/v1/rates").json()["rates"]
    assert (rate["base"], rate["currency"], rate["rate"]) == ("EUR", "USD", "1.0812")


def test_rates_as_the_central_bank_writes_them(client: TestClient) -> None:
    assert _told(_send(client, "rates/import", ECB)).counts["new"] == 5
    assert _told(_send(client, "rates/import", ECB)).counts == {
        "new": 0,
        "corrected": 0,
        "unchanged": 5,
    }


@pytest.mark.parametrize(
    ("path", "table"), [("rates/import", ECB), ("rates/import", LONG), ("targets/import", TARGETS)]
)
def test_a_repeated_import_is_told_word_for_word(client: TestClient, path: str, table: str) -> None:
    first = _send(client, path, table, "k-1")
    again = _send(client, path, table, "k-1")
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    other = _send(client, path, table + "\n", "k-1")
    assert (other.status_code, other.json()["code"]) == (422, "command-id-reused")


@pytest.mark.parametrize(
    ("path", "table", "shown"),
    [("rates/import", ECB, "rates"), ("targets/import", TARGETS, "targets")],
)
def test_a_dry_run_records_nothing(client: TestClient, path: str, table: str, shown: str) -> None:
    dry = _told(_send(client, f"{path}?dry_run=true", table))
    assert dry.dry_run
    assert client.get(f"/v1/{shown}").json()[shown] == []
    done = _told(_send(client, path, table))
    assert (done.counts, done.entries) == (dry.counts, dry.entries)


def test_targets(client: TestClient) -> None:
    report = _told(_send(client, "targets/import", TARGETS))
    assert report.counts == {"set": 1, "unchanged": 0}
    assert [(one.line, one.kind) for one in report.entries] == [(3, "impossible-date")]
    (target,) = client.get("/v1/targets").json()["targets"]
    assert (target["period"], target["territory"]) == ("2026-Q1", "North")


@pytest.mark.parametrize("path", ["rates/import", "targets/import"])
@pytest.mark.parametrize("table", ["", "a,b\n1,2\n", "\x00", "\ufeff"])
def test_what_is_no_such_table(client: TestClient, path: str, table: str) -> None:
    answer = _send(client, path, table)
    assert (answer.status_code, answer.json()["code"]) == (422, "import-failed")
    assert "/tmp" not in answer.text


def test_what_is_not_sent_as_a_table(client: TestClient) -> None:
    answer = client.post("/v1/rates/import", json={})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
