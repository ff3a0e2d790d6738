"""Law: a list holds exactly the deals that its reader may read one by one, on either database."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from api.queries.views import readable_in
from domain.access import Action, Principal, Role, may
from domain.deal import DealFact, History
from domain.directory import MembershipGranted, UnitRegistered
from domain.history import Draft, Fact, Recorded
from domain.lifecycle.facts import OwnerChanged, TeamMemberAssigned, TeamMemberReleased
from domain.organisation import Organisation
from projections import deal_pages as model
from projections.deal_pages import page
from projections.deal_walks import DealQuery
from projections.views import Views, open_views
from tests.conftest import NewLocation
from tests.projections.stores import draft, events_of, make_tables, project
from tests.scenario import opened

USERS = ("ann", "bo", "eve", "gus")
UNITS = ("north", "south", "world")

users, units = st.sampled_from(USERS), st.sampled_from(UNITS)
changes = st.lists(
    st.one_of(
        st.builds(lambda user: TeamMemberAssigned(user, "expert"), users),
        st.builds(lambda user: TeamMemberReleased(user, "expert"), users),
        st.builds(OwnerChanged, users),
    ),
    max_size=4,
)
portfolios = st.lists(st.tuples(users, changes), min_size=1, max_size=6)
parents = st.fixed_dictionaries(
    {"north": st.just("world") | units, "south": st.just("north") | units, "world": st.none()}
)
memberships = st.lists(
    st.builds(MembershipGranted, users, st.sampled_from([Role.SELLER, Role.MANAGER]), units),
    min_size=1,
    max_size=6,
)
anybody = st.builds(
    Principal,
    users,
    st.frozensets(st.sampled_from(Role), max_size=2),
    st.frozensets(units, max_size=2),
    st.none() | st.frozensets(st.sampled_from(Action)),
)
managers = st.builds(
    Principal, users, st.just(frozenset({Role.MANAGER})), st.frozensets(units, min_size=1)
)
principals = anybody | managers


@pytest.fixture(scope="module")
def views(new_location: NewLocation) -> Iterator[Views]:
    views = open_views(new_location())
    make_tables(views)
    yield views
    views.close()


@pytest.fixture(params=[0, model.WALKED_PER_DEAL], ids=["gathered", "walked"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two ways to a page, as in the law on paging."""
    monkeypatch.setattr(model, "WALKED_PER_DEAL", request.param)
    monkeypatch.setattr(model, "WALKED_FAR_PER_DEAL", request.param)
    monkeypatch.setattr(model, "MANY", 2)


def organisation_of(parents: dict[str, str | None], held: Sequence[Fact]) -> Organisation:
    streams: dict[str, list[Recorded[Fact]]] = {}
    facts: list[Fact] = [UnitRegistered(unit, unit, above) for unit, above in parents.items()]
    for fact in (*facts, *held):
        name = f"unit:{fact.unit}" if isinstance(fact, UnitRegistered) else f"user:{fact.user}"  # type: ignore[attr-defined]
        events = streams.setdefault(name, [])
        events.append(draft(fact).recorded(name, len(events) + 1, draft(fact).occurred_at))
    return Organisation.of(streams.values())


def listed(views: Views, query: DealQuery) -> list[str]:
    found: list[str] = []
    while True:
        with views.reading() as connection:
            answer = page(connection, query)
        found += [row["deal_id"] for row in answer.rows]
        if answer.next is None:
            return found
        query = replace(query, after=answer.next)


@pytest.mark.usefixtures("way")
@given(
    portfolio=portfolios,
    parents=parents,
    held=memberships,
    principal=principals,
    limit=st.integers(1, 3),
    where=st.sampled_from([{}, {"owner": "ann"}]),
)
def test_a_list_holds_what_its_reader_may_read(
    views: Views,
    *,
    portfolio: list[tuple[str, list[DealFact]]],
    parents: dict[str, str | None],
    held: list[MembershipGranted],
    principal: Principal,
    limit: int,
    where: dict[str, str],
) -> None:
    organisation = organisation_of(parents, held)
    expected = []
    histories = []
    for number, (owner, facts) in enumerate(portfolio):
        drafts: list[Draft[DealFact]] = [draft(opened(owner=owner), 0)]
        drafts += [draft(fact, day) for day, fact in enumerate(facts, start=1)]
        histories.append(events_of(*drafts, deal_id=f"d-{number}"))
        life = History.of(f"deal:d-{number}", histories[-1]).deal.life
        scope = organisation.scope(life.owner, life.team_ids)
        if may(principal, Action.READ, scope).allowed and where.get("owner") in {None, life.owner}:
            expected.append(f"d-{number}")
    project(views, histories)
    readable = readable_in(organisation.directory, principal)
    query = DealQuery(where, limit=limit, readable=readable)
    assert sorted(listed(views, query)) == expected
