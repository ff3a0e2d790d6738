"""Rates and targets from CSV over HTTP: recorded once, told alike."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.exchange.rates import run
from api.routes.imports import Encoding
from api.wire.administration import TableImport
from store.errors import StoreBusy
from store.location import Location
from store.log import DealLog
from store.publishing import News, publish_days
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
    ("path", "one", "change", "shown"),
    [("rates", LONG, ("1.0812", "1.0912"), "rate"), ("targets", TARGETS, ("4", "5"), "amount")],
)
def test_a_file_counts_again_under_a_new_key_and_not_under_its_own(
    client: TestClient, path: str, one: str, change: tuple[str, str], shown: str
) -> None:
    def on_record() -> object:
        (found,) = client.get(f"/v1/{path}").json()[path]
        return found[shown]

    route, other = f"{path}/import", one.replace(*change)
    first = _send(client, route, one, "k-1")
    before = on_record()
    second = _send(client, route, other, "k-2")
    after = on_record()
    assert after != before
    assert _send(client, route, one, "k-1").content == first.content
    assert on_record() == after
    third = _send(client, route, one, "k-3")
    assert _told(third).counts["corrected" if path == "rates" else "set"] == 1
    assert on_record() == before
    fourth = _send(client, route, one, "k-4")
    assert _told(fourth).counts["unchanged"] == 1
    _send(client, route, other, "k-5")
    for sent, key, known in ((other, "k-2", second), (one, "k-3", third), (one, "k-4", fourth)):
        assert _send(client, route, sent, key).content == known.content
        assert on_record() == after


def test_rates_that_were_cut_off_go_on_where_they_stopped(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "DAYS_PER_TRANSACTION", 1)
    done: list[News] = []

    def once(*args: Any, **options: Any) -> Any:
        if done:
            raise StoreBusy("cut off", "Try again.")
        done.append(publish_days(*args, **options))
        return done[0]

    monkeypatch.setattr(run, "publish_days", once)
    assert _send(client, "rates/import", ECB, "k-1").status_code == 503
    monkeypatch.setattr(run, "publish_days", publish_days)
    # Meanwhile somebody corrects what was recorded of it.
    _send(client, "rates/import", "date,base,currency,rate\n2026-06-29,EUR,USD,1.09\n")
    report = _told(_send(client, "rates/import", ECB, "k-1"))
    assert report.counts == {"new": 5, "corrected": 0, "unchanged": 0}
    rates = client.get("/v1/rates?since=2026-06-01&currency=USD").json()["rates"]
    assert {one["day"]: one["rate"] for one in rates} == {
        "2026-06-29": "1.09",
        "2026-06-30": "1.0812",
    }


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


@pytest.mark.parametrize(
    ("content", "query", "told"),
    [
        (b"period,amount,currency\0\n", "", "NUL byte"),
        (b"period,owner,amount,currency,caf\xe9\n", "", "0xe9"),
        (TARGETS.encode("utf-16"), "", "?encoding=utf-16"),
        (TARGETS.encode("utf-16")[:-1], "?encoding=utf-8", "?encoding=utf-16"),
        (TARGETS.encode(), "?encoding=utf-16", "not utf-16"),
    ],
)
def test_a_table_in_another_encoding_is_told_how_to_name_it(
    client: TestClient, content: bytes, query: str, told: str
) -> None:
    answer = _send_bytes(client, query, content)
    assert (answer.status_code, answer.json()["code"]) == (422, "import-failed")
    assert told in answer.json()["detail"]
    assert "?encoding=" in answer.json()["detail"]


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_table_is_read_in_the_encoding_named(client: TestClient, encoding: Encoding) -> None:
    places = {
        "gb18030": "上海",
        "big5": "台北",
        "shift_jis": "東京",
        "cp949": "서울",
        "cp1251": "Омск",
    }
    place = places.get(encoding, "Köln")
    table = TARGETS.replace("North", place).encode(encoding)
    assert _told(_send_bytes(client, f"?encoding={encoding}", table)).counts["set"] == 1
    (target,) = client.get("/v1/targets").json()["targets"]
    assert target["territory"] == place


def test_an_encoding_that_is_none(client: TestClient) -> None:
    for name in ("zlib", "undefined", "idna", ""):
        answer = _send_bytes(client, f"?encoding={name}", TARGETS.encode())
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-parameter")


def _send_bytes(client: TestClient, query: str, content: bytes) -> Response:
    headers = {"Content-Type": "text/csv"}
    return client.post(f"/v1/targets/import{query}", content=content, headers=headers)


def test_what_is_not_sent_as_a_table(client: TestClient) -> None:
    answer = client.post("/v1/rates/import", json={})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
