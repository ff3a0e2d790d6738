"""Who may ask what: every route, and everybody who can send a request, from one table."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import product

import pytest
from fastapi.testclient import TestClient
from starlette.routing import Route

from api.app import create_app
from api.auth.keys import make_key
from api.routes.door import OPEN
from api.settings import Settings
from domain.access import Action, Role
from domain.directory import (
    ApiKeyIssued,
    ApiKeyRevoked,
    MembershipGranted,
    UnitRegistered,
    UserRegistered,
)
from domain.history import Draft, Fact
from domain.lifecycle.facts import LostOutcome, OpportunityLost, OpportunityOpened
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.auth.access import BODIES, VALUES, table
from tests.api.small_store import PROCESS, on

HELD: dict[str, list[tuple[Role, str | None]]] = {
    "seller": [(Role.SELLER, "west")],
    "bo": [(Role.SELLER, "west")],
    "mei": [(Role.MANAGER, "world")],
    "eva": [(Role.MANAGER, "east")],
    "analyst": [(Role.ANALYST, None)],
    "auditor": [(Role.AUDITOR, None)],
    "admin": [(Role.ADMIN, None)],
    "first": [(Role.ADMIN, None), (Role.AUDITOR, None)],
    "idle": [],
}


TABLE = table()
ROUTES = list(dict.fromkeys(route for route, _ in TABLE))
CALLERS = list(dict.fromkeys(who for _, who in TABLE))
GUARDED = [route for route in ROUTES if route.split()[1] not in OPEN]


def _draft(fact: Fact) -> Draft[Fact]:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return Draft(fact, at, "op", "cli", "c", "c")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """A service over a store with one deal, and what everybody sends."""
    location = Location.beside(tmp_path_factory.mktemp("matrix") / "deals.db")
    sent = {"none": ""}
    with DealLog.create(location) as log:
        for unit, above in (("world", None), ("west", "world"), ("east", "world")):
            log.append([Batch(f"unit:{unit}", 0, [_draft(UnitRegistered(unit, unit, above))])])
        for user, held in HELD.items():
            key = make_key()
            sent[user] = key.token
            facts: list[Fact] = [UserRegistered(user, user.title())]
            facts += [MembershipGranted(user, role, unit) for role, unit in held]
            facts.append(ApiKeyIssued(user, key.id, key.digest, "all"))
            if user == "seller":
                facts += _more_keys(sent)
            log.append([Batch(f"user:{user}", 0, [_draft(fact) for fact in facts])])
        opening = OpportunityOpened(
            name="Press line", process=PROCESS, stage="P1", currency="USD", owner="seller"
        )
        deal = [
            on("2026-02-01", opening),
            on("2026-03-01", OpportunityLost(LostOutcome.NO_DECISION)),
        ]
        log.append([Batch("deal:d-anna", 0, deal)])
    app = create_app(Settings(db=str(location), worker=False))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client, sent


def _more_keys(sent: dict[str, str]) -> list[Fact]:
    """Keys of the seller that are good for less, and for nothing."""
    record, expired, revoked = make_key(), make_key(), make_key()
    sent |= {"record": record.token, "expired": expired.token, "revoked": revoked.token}
    yesterday = date(2026, 1, 3)
    return [
        ApiKeyIssued("seller", record.id, record.digest, "record", (Action.RECORD,)),
        ApiKeyIssued("seller", expired.id, expired.digest, "old", last_day=yesterday),
        ApiKeyIssued("seller", revoked.id, revoked.digest, "lost"),
        ApiKeyRevoked("seller", revoked.id),
    ]


def _status(client: TestClient, route: str, token: str, deal_id: str = "d-anna") -> int:
    method, path = route.split()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = path.format(**(VALUES | {"deal_id": deal_id}))
    return client.request(method, url, json=BODIES.get(route), headers=headers).status_code


@pytest.mark.parametrize("route", ROUTES)
def test_who_may_ask(world: tuple[TestClient, dict[str, str]], route: str) -> None:
    client, sent = world
    found = {who: _status(client, route, sent[who]) for who in CALLERS}
    assert found == {who: TABLE[route, who] for who in CALLERS}


@pytest.mark.parametrize(("route", "who"), list(product(GUARDED, ("expired", "revoked"))))
def test_a_key_that_is_good_for_nothing(
    world: tuple[TestClient, dict[str, str]], route: str, who: str
) -> None:
    client, sent = world
    client.app.state.authenticate._attempts._left.clear()  # type: ignore[attr-defined]
    assert _status(client, route, sent[who]) == 401


@pytest.mark.parametrize("route", [route for route in ROUTES if "{deal_id}" in route])
def test_a_deal_that_one_may_not_read_answers_as_one_that_is_not_there(
    world: tuple[TestClient, dict[str, str]], route: str
) -> None:
    client, sent = world
    for who in CALLERS:
        there, nowhere = (_status(client, route, sent[who], one) for one in ("d-anna", "d-none"))
        assert there in {nowhere, 200}


def _walked(routes: Sequence[object]) -> Iterator[Route]:
    """All routes, those of included routers too. What is of another kind is not served."""
    for route in routes:
        if isinstance(route, Route):
            yield route
        else:
            yield from _walked(route.original_router.routes)  # type: ignore[attr-defined]


def test_every_route_has_a_row(world: tuple[TestClient, dict[str, str]]) -> None:
    client, _ = world
    routes = {
        f"{method} {route.path}"
        for route in _walked(client.app.routes)  # type: ignore[attr-defined]
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert routes == set(ROUTES)
    assert {route.split()[1] for route in ROUTES} - {r.split()[1] for r in GUARDED} == OPEN


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v1/deals/", "/LIVEZ", "//livez"])
def test_an_address_that_leads_nowhere_is_behind_the_door(
    world: tuple[TestClient, dict[str, str]], path: str
) -> None:
    client, sent = world
    assert client.get(f"http://127.0.0.1{path}").status_code == 401
    headers = {"Authorization": f"Bearer {sent['auditor']}"}
    assert client.get(f"http://127.0.0.1{path}", headers=headers).status_code == 404
