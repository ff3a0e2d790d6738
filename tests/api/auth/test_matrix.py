"""Who may ask what: every route, and everybody who can send a request, from one table."""

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from fastapi.testclient import TestClient
from starlette.routing import Route

from api.app import create_app
from api.around.door import OPEN
from api.settings import Settings
from store.location import Location
from tests.api.auth.access import BODIES, HEADERS, QUERIES, VALUES, table
from tests.api.auth.everybody import everybody

TABLE = table()
ROUTES = list(dict.fromkeys(route for route, _ in TABLE))
CALLERS = list(dict.fromkeys(who for _, who in TABLE))
GUARDED = [route for route in ROUTES if route.split()[1] not in OPEN]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """A service over a store with one deal, and what everybody sends."""
    location = Location.beside(tmp_path_factory.mktemp("matrix") / "deals.db")
    sent = everybody(location)
    app = create_app(Settings(db=str(location), worker=False, stream_seconds=0))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client, sent


def _status(client: TestClient, route: str, token: str, deal_id: str = "d-anna") -> int:
    method, path = route.split()
    headers = dict(HEADERS.get(route, {}))
    if token:
        headers["Authorization"] = f"Bearer {token}"
    url = path.format(**(VALUES | {"deal_id": deal_id}))
    # A session that was opened in another row must not let this caller in.
    client.cookies.clear()
    return client.request(
        method, url, json=BODIES.get(route), params=QUERIES.get(route), headers=headers
    ).status_code


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
        # 412: who may record there is told that it is at another version. Who reads the deal, and
        # not all of it, is told that something takes all of it.
        reads = TABLE["GET /v1/deals/{deal_id}", who] == 200
        assert there in {nowhere, 200, 412, *([403] if reads else [])}


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
