"""Checkpoints, receipts and proofs of consistency over HTTP; estimates; a process tried."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from api.wire.estimates import EstimateQuality
from api.wire.sealed import (
    CheckpointNote,
    CheckpointPage,
    ConsistencyProof,
    Receipt,
    ReceiptPage,
    VerifierKeys,
)
from api.workspace import Workspace
from domain.access import Principal, Role
from store.location import Location
from store.seals.notes import parse_verifier_key
from store.seals.verify import (
    CheckpointFinding,
    ConsistencyFinding,
    ReceiptFinding,
    Trust,
    verify_text,
)
from tests.api.serving import problem, read, serving

ANALYST = Principal("ana", frozenset({Role.ANALYST}))
FILES = Path(__file__).parents[2] / "domain" / "processes"


@pytest.fixture
def client(own_store: str) -> Iterator[TestClient]:
    with serving(own_store) as found:
        yield found


def _trust(client: TestClient) -> Trust:
    keys = read(client, "/v1/verifier-keys", VerifierKeys).keys
    return Trust(tuple(parse_verifier_key(key) for key in keys), (), 0)


def test_a_receipt_verifies_with_the_keys_of_the_log(client: TestClient) -> None:
    trust = _trust(client)
    found = read(client, "/v1/deals/d-press/receipts/2", Receipt)
    assert found.version == 2
    assert isinstance(verify_text(found.proof, trust), ReceiptFinding)
    text = client.get("/v1/deals/d-press/receipts/2?format=text")
    assert text.headers["content-type"].startswith("text/plain")
    assert text.text == found.proof


def test_all_receipts_of_a_deal_page_by_page(client: TestClient) -> None:
    whole = read(client, "/v1/deals/d-press/receipts", ReceiptPage)
    assert [one.version for one in whole.receipts] == list(range(1, len(whole.receipts) + 1))
    assert whole.cursor is None
    url, gathered = "/v1/deals/d-press/receipts?limit=3", []
    while url:
        answer = client.get(url)
        gathered += answer.json()["receipts"]
        url = answer.links.get("next", {}).get("url", "")
    assert [one["version"] for one in gathered] == [one.version for one in whole.receipts]
    assert [one["proof"] for one in gathered] == [one.proof for one in whole.receipts]


def test_a_receipt_is_for_who_may_see_everything(own_store: str) -> None:
    with serving(own_store, ANALYST) as client:
        found = problem(client, "/v1/deals/d-press/receipts/1", 403)
        assert found.code == "not-allowed"
        assert problem(client, "/v1/deals/d-press/receipts", 403).code == "not-allowed"


def test_what_there_is_no_receipt_of(client: TestClient) -> None:
    assert problem(client, "/v1/deals/d-press/receipts/999", 404).code == "event-not-found"
    assert problem(client, "/v1/deals/d-none/receipts/1", 404).code == "deal-not-found"
    huge = f"/v1/deals/d-press/receipts/{10**30}"
    assert problem(client, huge, 422).code == "invalid-parameter"


def _with_checkpoints(url: str, *sizes: int) -> None:
    with Workspace.open(Location.parse(url), ZoneInfo("UTC")) as store:
        for size in sizes:
            store.notary.checkpoint(size)


def test_checkpoints_are_listed_and_shown(client: TestClient, own_store: str) -> None:
    _with_checkpoints(own_store, 3, 9)
    listed = read(client, "/v1/checkpoints", CheckpointPage)
    sizes = [one.size for one in listed.checkpoints]
    assert sizes == sorted(sizes)
    assert {3, 9} <= set(sizes)
    last = read(client, "/v1/checkpoints/latest", CheckpointNote)
    assert last.size == sizes[-1] > 0
    assert read(client, f"/v1/checkpoints/{last.size}", CheckpointNote) == last
    assert client.get("/v1/checkpoints/latest?format=text").text == last.note
    assert isinstance(verify_text(last.note, _trust(client)), CheckpointFinding)
    first = client.get("/v1/checkpoints?limit=1")
    assert [one["size"] for one in first.json()["checkpoints"]] == sizes[:1]
    second = client.get(first.links["next"]["url"]).json()["checkpoints"]
    assert [one["size"] for one in second] == sizes[1:2]
    assert problem(client, "/v1/checkpoints/123456", 404).code == "checkpoint-not-found"


def test_one_checkpoint_extends_another(own_store: str) -> None:
    _with_checkpoints(own_store, 3, 9)
    with serving(own_store) as client:
        url = "/v1/checkpoints/9/consistency"
        found = read(client, f"{url}?since=3", ConsistencyProof)
        assert (found.old, found.new) == (3, 9)
        assert isinstance(verify_text(found.proof, _trust(client)), ConsistencyFinding)
        assert client.get(f"{url}?since=3&format=text").text == found.proof
        assert problem(client, f"{url}?since=4", 404).code == "checkpoint-not-found"
        assert problem(client, url, 422).errors[0].parameter == "since"
        other = "/v1/checkpoints/3/consistency?since=9"
        assert problem(client, other, 404).code == "checkpoint-not-found"


def test_estimates_are_told_by_the_models_that_are_there(client: TestClient) -> None:
    answer = read(client, "/v1/estimates", EstimateQuality)
    assert answer.scores == []
    assert answer.verdict.startswith("Nothing can be said")


def test_a_process_is_tried_on_all_deals(client: TestClient) -> None:
    toml = (FILES / "key-account.toml").read_text(encoding="utf-8")
    answer = client.post("/v1/whatif?fields=process,deals", json={"toml": toml})
    assert answer.status_code == 200, answer.text
    assert answer.json()["process"] == "key-account/1"
    assert client.get("/v1/processes").text.count('"id":"key-account"') == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"toml": "id = 3"}, 422, "invalid-parameter"),
        ({}, 422, "invalid-parameter"),
        ({"toml": "", "more": 1}, 422, "invalid-parameter"),
    ],
)
def test_what_is_no_process_is_told(
    client: TestClient, body: dict[str, object], status: int, code: str
) -> None:
    answer = client.post("/v1/whatif", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["errors"]
