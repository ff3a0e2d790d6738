"""Law: deals that one may not read change no answer over many deals.

Every route that answers over many deals is asked twice: by somebody who may read some deals, of a
store that has others besides, and by who may read all, of a store that has these alone. The
answers are the same bytes. The routes are those of the access matrix.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType

import pytest
from fastapi.testclient import TestClient

from api.simulate import UNTIL, deals
from api.simulate.run import simulate
from api.workspace import Workspace
from domain.access import Action, Principal, Role, may
from domain.deal import DealFact, History
from domain.history import Draft, Fact, Recorded, StreamKind
from domain.lifecycle.facts import TeamMemberAssigned
from domain.negotiation.authority import AuthorityLimits
from domain.organisation import Organisation
from projections.columns import Columns
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.auth.access import figures, reviews
from tests.api.serving import HOLDER, serving
from tests.conftest import NewLocation

SEED, DEALS, MONTHS = 5, 36, 24
NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)

THEN = {"as_of": "2026-02-15"}
EARLIER = {"as_of": "2026-02-15", "known_at": "2026-03-31"}
SPAN = {"since": "2025-09-30", "until": "2026-05-31"}

ASKED: dict[str, list[dict[str, str]]] = {
    "/v1/pipeline": [{}, THEN, {**EARLIER, "group_by": "owner,stage"}, {"group_by": "product"}],
    "/v1/pipeline/deals": [{"limit": "3"}, {**EARLIER, "status": "open"}],
    "/v1/waterfall": [{**SPAN, "group_by": "owner"}, {**SPAN, "as_believed": "true"}],
    "/v1/waterfall/deals": [{**SPAN, "line": "created", "limit": "3"}, {**SPAN, "line": "end"}],
    "/v1/figures": [{"period": "2026", "per": "quarter"}, {**THEN, "group_by": "team,region"}],
    "/v1/figures/deals": [{"count": "new", "period": "2025", "limit": "2"}],
    "/v1/coverage": [{"period": "2026-Q1"}, {**THEN, "period": "2026"}],
    "/v1/flow": [{}, EARLIER],
    "/v1/flow/cohorts": [{"period": "quarter"}],
    "/v1/flow/survival": [{"group_by": "region"}],
    "/v1/flow/outcomes": [{"group_by": "product"}],
    "/v1/flow/stuck": [{**THEN, "limit": "2"}],
    "/v1/forecast": [{**THEN, "group_by": "owner", "against": "2026-06-30"}],
    "/v1/forecast/deals": [{**THEN, "limit": "2"}],
    "/v1/forecast/history": [{"month": "2026-05"}],
    "/v1/calibration": [{"group_by": "owner"}],
    "/v1/accounts": [{"limit": "2"}, {"sort": "deals"}],
    "/v1/accounts/{account}": [{}],
    "/v1/warnings": [{}, {**THEN, "limit": "500"}],
    "/v1/losses": [{}, EARLIER],
}
NOT_OF_DEALS = {"/v1/rates", "/v1/targets"}


def routes_of(module: ModuleType) -> set[str]:
    return {line.split()[1] for line in module.ACCESS.splitlines() if line.startswith("GET ")}


def test_every_route_is_asked() -> None:
    assert routes_of(figures) | routes_of(reviews) == set(ASKED) | NOT_OF_DEALS


def portfolio() -> dict[str, list[Draft[DealFact]]]:
    """Deals with teams; some by an import that does not say when it knew."""
    found: dict[str, list[Draft[DealFact]]] = {}
    owners: list[str] = []
    for number, deal in enumerate(deals(DEALS, SEED, MONTHS, UNTIL)):
        drafts = list(deal.drafts)
        owners.append(deal.history.deal.life.owner or "")
        if number % 5 == 0:
            drafts = [_undated(draft) for draft in drafts]
        if number % 4 == 0:
            drafts.append(_assigned(owners[number // 2]))
        found[deal.stream] = drafts
    return found


def _undated(draft: Draft[DealFact]) -> Draft[DealFact]:
    return Draft(draft.fact, draft.occurred_at, "crm", "import:crm", "c", "c")


def _assigned(user: str) -> Draft[DealFact]:
    return Draft(TeamMemberAssigned(user, "expert"), NOW, user, "cli", "c", "c")


def _again(event: Recorded[Fact]) -> Draft[Fact]:
    return Draft(
        event.fact,
        event.occurred_at,
        event.actor,
        event.source,
        event.command_id,
        event.correlation_id,
        event.known_at,
    )


_ORGANISATION = (
    *(StreamKind.USER, StreamKind.UNIT, StreamKind.AUTHORITY),
    *(StreamKind.RATES, StreamKind.TARGET),
)


class Stores:
    """Stores with some of the deals of one portfolio, and all of its organisation."""

    def __init__(self, new_location: NewLocation) -> None:
        self._new = new_location
        self.deals = portfolio()
        with DealLog.create(new_location(), lambda: NOW) as log:
            simulate(log, DEALS, SEED, MONTHS, UNTIL)
            names = [name for kind in _ORGANISATION for name in log.streams(kind)]
            self._others = {name: [_again(one) for one in log.events_in(name)] for name in names}
            self.directory = log.organisation().directory

    def made(self, streams: Sequence[str], *, copy: bool = False) -> str:
        """A store with these deals. Answers with its URL.

        With a columnar copy, which a third of the deals have changed since.
        """
        location = self._new()
        early = {name: len(self.deals[name]) - (at % 3 == 0) for at, name in enumerate(streams)}
        with DealLog.create(location, lambda: NOW) as log:
            log.append([Batch(name, 0, drafts) for name, drafts in self._others.items()])
            log.append([Batch(name, 0, self.deals[name][:end]) for name, end in early.items()])
        if copy:
            with Workspace.open(location) as store, store.fresh():
                assert Columns(location.views, least_periods=1).maintain(store.views.reading)
        with DealLog.open(location, lambda: NOW) as log:
            late = {name: self.deals[name][end:] for name, end in early.items()}
            log.append([Batch(name, early[name], some) for name, some in late.items() if some])
        return str(location)

    def readable(self, principal: Principal) -> list[str]:
        """The deals that they may read, one by one."""
        found = []
        organisation = Organisation(self.directory, AuthorityLimits())
        for name, drafts in self.deals.items():
            events = [one.recorded(name, at, NOW) for at, one in enumerate(drafts, start=1)]
            life = History.of(name, events).deal.life
            scope = organisation.scope(life.owner, life.team_ids)
            if may(principal, Action.READ, scope).allowed:
                found.append(name)
        return found


@pytest.fixture(scope="module")
def stores(new_location: NewLocation) -> Stores:
    return Stores(new_location)


@pytest.fixture(scope="module")
def stores_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    return Stores(lambda: Location.beside(tmp_path_factory.mktemp("store") / "deals.db"))


def readers(stores: Stores) -> dict[str, Principal]:
    """The manager and the seller who may read the most, but not all."""
    found = {}
    for role in (Role.MANAGER, Role.SELLER):
        theirs = [
            principal
            for user in stores.directory.users
            if role in (principal := stores.directory.principal(user)).roles
        ]
        some = [one for one in theirs if 2 < len(stores.readable(one)) < DEALS]
        found[role.value] = max(some, key=lambda one: len(stores.readable(one)))
    return found


def answers(client: TestClient, path: str, query: dict[str, str]) -> Iterator[tuple[int, bytes]]:
    """The answer, and that to the page which follows."""
    response = client.get(path, params=query)
    yield response.status_code, response.content
    if "next" in response.links:
        following = client.get(response.links["next"]["url"])
        yield following.status_code, following.content


WAYS = pytest.mark.parametrize(
    ("role", "copy"), [("manager", True), ("seller", False)], ids=["copy", "rows"]
)


@WAYS
def test_deals_that_one_may_not_read_change_no_answer(
    stores_on_sqlite: Stores, role: str, *, copy: bool
) -> None:
    """Here each route is asked once, on SQLite."""
    stores = stores_on_sqlite
    principal = readers(stores)[role]
    everything = stores.made(list(stores.deals), copy=copy)
    with asked(everything, principal) as some, alone(stores, principal) as theirs:
        for path, queries in ASKED.items():
            require_same(some, theirs, path, queries[0])


@pytest.mark.drill
@WAYS
def test_no_question_tells_of_deals_that_one_may_not_read(
    stores: Stores, role: str, *, copy: bool
) -> None:
    principal = readers(stores)[role]
    everything = stores.made(list(stores.deals), copy=copy)
    differing = 0
    with (
        asked(everything, principal) as some,
        alone(stores, principal) as theirs,
        asked(everything, HOLDER) as every,
    ):
        for path, queries in ASKED.items():
            for query in queries:
                found = require_same(some, theirs, path, query)
                differing += found != list(answers(every, _named(theirs, path), query))
    assert differing > len(ASKED)


@contextmanager
def asked(url: str, principal: Principal) -> Iterator[TestClient]:
    """The service of a store, for somebody, at a moment at which everything is recorded."""
    with serving(url, principal) as client:
        client.app.state.store.now = lambda: NOW  # type: ignore[attr-defined]
        yield client


@contextmanager
def alone(stores: Stores, principal: Principal) -> Iterator[TestClient]:
    """The service of a store with no other deals than they may read, for who reads all.

    They may not audit, and are not told what rests on secrets.
    """
    roles = frozenset({Role.ANALYST, *principal.roles})
    reader = Principal(principal.id, roles, principal.units)
    with asked(stores.made(stores.readable(principal)), reader) as client:
        yield client


def require_same(
    some: TestClient, alone: TestClient, path: str, query: dict[str, str]
) -> list[tuple[int, bytes]]:
    where = _named(alone, path)
    found = list(answers(some, where, query))
    assert found[0][0] == 200, f"{where} {query}: {found[0]!r}"
    assert found == list(answers(alone, where, query)), f"{where} {query}"
    return found


def _named(client: TestClient, path: str) -> str:
    """The route, with the account that is asked for."""
    if "{account}" not in path:
        return path
    accounts = client.get("/v1/accounts", params={"sort": "deals"}).json()["accounts"]
    return path.format(account=accounts[0]["key"])
