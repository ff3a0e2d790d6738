"""Handing many deals over: deal by deal, going on where it stopped, told alike."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.reassigning import reassign
from api.wire.reassignments import Reassigned, WantedDeals, WantedReassignment
from api.workspace import Workspace
from domain.access import Principal, Role
from domain.intent import Intent
from projections.search import FILTERS
from store.fsck.check import check
from store.location import Location
from store.log import DealLog
from tests.api.serving import serving

DEALS = [f"d-{number}" for number in range(6)]
MANAGER = Principal("mei", frozenset({Role.MANAGER}), frozenset({"west"}))


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return _made(Location.beside(tmp_path / "deals.db"))


def _made(found: Location) -> Location:
    DealLog.create(found).close()
    with serving(str(found)) as client:
        client.post("/v1/organisation/register-unit", json={"unit": "west", "name": "West"})
        for user in ("anna", "ben", "cleo"):
            client.post("/v1/organisation/register-user", json={"user": user, "name": user})
        for user in ("anna", "ben"):
            body = {"user": user, "role": "seller", "unit": "west"}
            client.post("/v1/organisation/grant-membership", json=body)
        for deal_id in DEALS:
            _open(client, deal_id)
        _open(client, "d-cleo", "cleo")
        client.post("/v1/deals/d-5/lose-opportunity", json={"outcome": "no-decision"})
    return found


@pytest.fixture
def client(location: Location) -> Iterator[TestClient]:
    with serving(str(location)) as client:
        yield client


def _open(client: TestClient, deal_id: str, owner: str = "anna") -> None:
    region = "North" if deal_id in {"d-0", "d-1"} else "South"
    opening = {"name": deal_id, "owner": owner, "currency": "EUR", "region": region}
    assert client.post(f"/v1/deals?id={deal_id}", json=opening).status_code == 201


def _send(client: TestClient, key: str | None = None, **more: Any) -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"from_owner": "anna", "to_owner": "ben"} | more
    return client.post("/v1/reassignments", json=body, headers=headers)


def _told(response: Response) -> Reassigned:
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=Reassigned)


def _done(report: Reassigned) -> list[str]:
    return [one.deal_id for one in report.done]


def _owner(client: TestClient, deal_id: str) -> str:
    return str(client.get(f"/v1/deals/{deal_id}").json()["deal"]["owner"]["id"])


def test_all_that_are_not_over_are_handed_over_once(client: TestClient, location: Location) -> None:
    first = _send(client, "k-1", reason="on leave")
    report = _told(first)
    assert _done(report) == DEALS[:5]
    assert (report.refused, report.left, report.remaining) == ([], [], 0)
    assert [_owner(client, deal_id) for deal_id in ("d-0", "d-5", "d-cleo")] == [
        "ben",
        "anna",
        "cleo",
    ]
    _open(client, "d-new")
    again = _send(client, "k-1", reason="on leave")
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert _owner(client, "d-new") == "anna"
    other = _send(client, "k-1", reason="left us")
    assert (other.status_code, other.json()["code"]) == (422, "command-id-reused")
    events = client.get("/v1/deals/d-0/audit").json()["entries"]
    assert {"k-1"} == {one["correlation_id"] for one in events if one["type"] == "owner-changed"}


def test_a_dry_run_tells_what_would_be_done(client: TestClient) -> None:
    report = _told(_send(client, dry_run=True))
    assert report.dry_run
    assert _done(report) == DEALS[:5]
    assert {_owner(client, deal_id) for deal_id in DEALS} == {"anna"}


def test_filters_and_named_deals(client: TestClient) -> None:
    some = ["d-0", "d-2", "d-5", "d-cleo", "d-none"]
    report = _told(_send(client, deals=some, dry_run=True))
    assert (_done(report), report.left) == (["d-0", "d-2"], ["d-5", "d-cleo", "d-none"])
    report = _told(_send(client, where={"region": "North"}, dry_run=True))
    assert _done(report) == ["d-0", "d-1"]
    report = _told(_send(client, "k-1", where={"region": "North"}, deals=some))
    assert (_done(report), report.left) == (["d-0"], ["d-2", "d-5", "d-cleo", "d-none"])
    assert _told(_send(client, "k-1", where={"region": "North"}, deals=some)) == report


def test_a_request_that_was_cut_off_goes_on_where_it_stopped(
    new_location: Callable[[], Location],
) -> None:
    asked = WantedReassignment("anna", "ben")
    with Workspace.open(_made(new_location())) as store:
        now = store.now()
        intent = Intent("k-1", MANAGER, "http", now=now, occurred_at=now)
        cut, repeated = reassign(store, asked, intent, lambda done, _: done < 2)
        assert (_done(cut), cut.remaining, repeated) == (DEALS[:2], 3, False)
        whole, repeated = reassign(store, asked, intent)
        assert (_done(whole), whole.remaining, repeated) == (DEALS[:5], 0, True)
        assert whole.done[:2] == cut.done
        assert {store.log.history(one).version for one in DEALS[:5]} == {2}
        assert check(store.log.records, store.log.keys).problems == ()


def test_what_one_may_not_record_is_refused_deal_by_deal(location: Location) -> None:
    """An auditor who sells reads all deals, and may record on their own."""
    both = Principal("ben", frozenset({Role.SELLER, Role.AUDITOR}))
    with serving(str(location), both) as client:
        report = _told(_send(client, "k-1"))
        assert report.done == []
        assert {one.code for one in report.refused} == {"not-allowed"}
        assert _told(_send(client, "k-1", dry_run=True)).refused == report.refused


def test_deals_that_one_may_not_read_are_not_told(location: Location) -> None:
    with serving(str(location), MANAGER) as client:
        named = client.post(
            "/v1/reassignments",
            json={"from_owner": "cleo", "to_owner": "ben", "deals": ["d-cleo", "d-none"]},
        )
        report = _told(named)
        assert (report.done, report.refused) == ([], [])
        assert report.left == ["d-cleo", "d-none"]


@pytest.mark.parametrize("to", ["nobody", "anna"])
def test_to_whom_deals_cannot_go(client: TestClient, to: str) -> None:
    assert _send(client, to_owner=to).status_code in {409, 422}
    assert _owner(client, "d-0") == "anna"


def test_deals_are_filtered_by_what_lists_are_filtered_by() -> None:
    assert set(WantedDeals.__struct_fields__) == set(FILTERS) - {"status", "outcome", "owner"}


def test_an_empty_run_is_told(tmp_path: Path) -> None:
    location = Location.beside(tmp_path / "deals.db")
    DealLog.create(location).close()
    with serving(str(location)) as client:
        client.post("/v1/organisation/register-user", json={"user": "ben", "name": "ben"})
        assert _done(_told(_send(client))) == []
