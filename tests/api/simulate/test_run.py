"""Portfolios in a store: appended once, by name, with the times of the story."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.simulate import UNTIL, SimulationReport, run, simulate
from api.simulate.cast import LIMITS
from api.simulate.chronicle import SOURCE
from domain.access import Role
from domain.history import Draft, StreamKind
from domain.lifecycle.facts import OpportunityOpened
from domain.negotiation import AuthorityLimits, RoleLimits
from domain.organisation import LIMITS_STREAM, AuthorityLimitsSet
from domain.refusals import Refusal
from store.errors import StoreError
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.simulate.portfolios import portfolio

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DealLog]:
    log = DealLog.create(Location.beside(tmp_path / "deals.db"), clock=lambda: NOW)
    yield log
    log.close()


def test_the_stored_events_are_those_of_the_portfolio(log: DealLog) -> None:
    report = simulate(log, 20, 1)
    assert report.deals_added == 20
    made = portfolio(1)[:20]
    assert report.events_added == sum(len(deal.drafts) for deal in made)
    assert log.streams(StreamKind.DEAL) == [deal.stream for deal in made]
    for deal in made:
        stored = log.events_in(deal.stream)
        assert [e.fact for e in stored] == [draft.fact for draft in deal.drafts]
        assert [e.occurred_at for e in stored] == [d.occurred_at for d in deal.drafts]
        assert [e.known_at for e in stored] == [d.known_at for d in deal.drafts]
        assert {e.recorded_at for e in stored} == {NOW}
        assert {e.source for e in stored} == {SOURCE}


def test_the_report_counts_what_was_added(log: DealLog) -> None:
    report = simulate(log, 25, 1)
    assert sum(report.statuses.values()) == 25
    assert report.deals_present == 0
    assert report.message.startswith("Added 25 deals with")


def test_a_second_run_adds_nothing_and_says_so(log: DealLog) -> None:
    first = simulate(log, 20, 1)
    head = log.head()
    again = simulate(log, 20, 1)
    assert log.head() == head
    assert (again.deals_added, again.deals_present) == (0, 20)
    assert (again.events_added, again.users_added) == (0, 0)
    assert again.message == "Nothing to add: all 20 deals of seed 1 are there already."
    assert first.users_added > 0


def test_a_larger_portfolio_adds_what_is_missing(log: DealLog) -> None:
    simulate(log, 5, 1)
    report = simulate(log, 8, 1)
    assert (report.deals_added, report.deals_present) == (3, 5)
    assert "5 deals were there already" in report.message
    assert log.streams(StreamKind.DEAL) == [deal.stream for deal in portfolio(1)[:8]]


def test_other_seeds_live_in_the_same_store(log: DealLog) -> None:
    simulate(log, 5, 1)
    report = simulate(log, 5, 2, 12)
    assert report.deals_added == 5
    assert len(log.streams(StreamKind.DEAL)) == 10


@pytest.mark.parametrize(("months", "until"), [(12, UNTIL), (24, date(2026, 5, 31))])
def test_the_same_seed_for_another_period_is_refused(
    log: DealLog, months: int, until: date
) -> None:
    simulate(log, 5, 1)
    head = log.head()
    with pytest.raises(StoreError, match="another day") as refused:
        simulate(log, 8, 1, months, until)
    assert "another seed" in refused.value.advice
    assert log.head() == head


def test_the_same_seed_with_other_causes_is_refused(log: DealLog) -> None:
    report = simulate(log, 5, 1, causes=("minutes-missing",))
    again = simulate(log, 5, 1, causes=("minutes-missing",))
    assert (report.deals_added, again.deals_present) == (5, 5)
    for causes in (None, (), ("gate-overridden",)):
        with pytest.raises(StoreError, match="other causes"):
            simulate(log, 8, 1, causes=causes)


def test_the_report_says_what_is_planted_and_the_store_does_not(log: DealLog) -> None:
    report = simulate(log, 5, 1, causes=("minutes-missing", "gate-overridden"))
    assert report.planted == (
        "Planted causes, each in 35% of the deals: minutes-missing, gate-overridden."
        " Losing depends on nothing else."
    )
    stored = [log.events_in(stream) for kind in StreamKind for stream in log.streams(kind)]
    assert "gate-overridden" not in repr(stored)
    assert simulate(log, 1, 2).planted is None
    assert (simulate(log, 1, 3, causes=()).planted or "").startswith("No cause is planted")


@pytest.fixture
def small_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "DEALS_PER_TRANSACTION", 5)


@pytest.mark.usefixtures("small_transactions")
def test_a_run_that_broke_off_is_completed(log: DealLog) -> None:
    class Broken(Exception):
        pass

    def broken(done: int, total: int) -> None:
        raise Broken(f"{done} of {total}")

    with pytest.raises(Broken, match="5 of 12"):
        simulate(log, 12, 1, progress=broken)
    assert len(log.streams(StreamKind.DEAL)) == 5
    assert simulate(log, 12, 1).deals_added == 7
    assert log.streams(StreamKind.DEAL) == [deal.stream for deal in portfolio(1)[:12]]


@pytest.mark.usefixtures("small_transactions")
def test_progress_is_told_to_the_end(log: DealLog) -> None:
    told: list[tuple[int, int]] = []
    simulate(log, 12, 1, progress=lambda done, total: told.append((done, total)))
    assert told == [(5, 12), (10, 12), (12, 12)]


def test_everyone_who_acts_or_owns_is_registered_by_name(log: DealLog) -> None:
    simulate(log, 30, 1)
    known = log.users()
    for stream in log.streams(StreamKind.DEAL):
        events = log.events_in(stream)
        assert {event.actor for event in events} <= known.keys()
        opening = events[0].fact
        assert isinstance(opening, OpportunityOpened)
        assert known[opening.owner].name
    names = [user.name for user in known.values()]
    assert len(names) == len(set(names))


def test_people_are_registered_before_their_first_deal(log: DealLog) -> None:
    simulate(log, 30, 1)
    first = min(e.occurred_at for s in log.streams(StreamKind.DEAL) for e in log.events_in(s))
    registered = [log.events_in(stream)[0] for stream in log.streams(StreamKind.USER)]
    assert sum(event.occurred_at < first for event in registered) >= len(registered) - 1


def test_sellers_and_managers_have_their_units_and_limits(log: DealLog) -> None:
    """Rights and approvals in the stories are those of the organisation that is stored."""
    simulate(log, 30, 1)
    organisation = log.organisation()
    assert organisation.limits == LIMITS
    directory = organisation.directory
    roles = {
        membership.role for user in directory.users.values() for membership in user.memberships
    }
    assert roles == {Role.SELLER, Role.MANAGER, Role.ADMIN}
    for stream in log.streams(StreamKind.DEAL):
        owner = log.history(stream.removeprefix("deal:")).deal.life.owner
        managing = {
            user.id
            for user in directory.users.values()
            for membership in user.memberships
            if membership.role is Role.MANAGER and membership.unit in directory.units_of(owner)
        }
        assert managing


def test_limits_that_are_there_already_stay(log: DealLog) -> None:
    own = AuthorityLimitsSet(AuthorityLimits((RoleLimits(Role.SELLER, discount_percent="1"),)))
    draft = Draft(own, NOW, "me", "cli", "c-1", "c-1")
    log.append([Batch(LIMITS_STREAM, 0, [draft])])
    simulate(log, 3, 1)
    assert log.organisation().limits == own.limits


def test_deals_go_on_from_where_the_story_ended(log: DealLog) -> None:
    """A simulated deal is a deal like any other, also for the log."""
    simulate(log, 1, 1)
    stream = log.streams(StreamKind.DEAL)[0]
    history = log.history(stream.removeprefix("deal:"))
    told = portfolio(1)[0].history
    assert history.version == told.version
    assert history.deal.stages.stage == told.deal.stages.stage
    assert history.deal.life.status is told.deal.life.status
    assert history.deal.amount == told.deal.amount


@pytest.mark.parametrize(
    ("deals", "months", "until"),
    [(0, 24, UNTIL), (5, 0, UNTIL), (5, 24, date(9999, 12, 31)), (5, 1000, UNTIL)],
)
def test_numbers_that_make_no_portfolio_are_refused(
    log: DealLog, deals: int, months: int, until: date
) -> None:
    with pytest.raises(ValueError, match="a portfolio"):
        simulate(log, deals, 1, months, until)
    assert log.head() == 0


def test_a_conflict_is_not_hidden(log: DealLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone else simulates the same into the store while we do."""
    simulate(log, 3, 1)
    monkeypatch.setattr(log, "streams", lambda kind: [])
    with pytest.raises(Refusal, match="version"):
        simulate(log, 3, 1)


def test_a_report_without_deals_speaks_of_none() -> None:
    report = SimulationReport(seed=4, months=24, until=UNTIL, deals=1_200, deals_present=1_200)
    assert report.message == "Nothing to add: all 1,200 deals of seed 4 are there already."
