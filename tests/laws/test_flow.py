"""Law: the flow of deals is what a plain walk over the frames of each one finds."""

import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.corrections import DealMerged
from domain.deal import DealEvent, DealFact
from domain.lifecycle import Status
from domain.lifecycle.facts import (
    OpportunityReopened,
    OpportunitySuspended,
    OpportunityWon,
)
from domain.stages.facts import StageAdvanced, StageRegressed
from domain.values import END_OF_TIME
from projections import periods
from projections.calendar import Calendar, Grain
from projections.columns import Columns
from projections.columns.relation import Place, Relation
from projections.figures import DIMENSIONS
from projections.flow import asking, stuck
from projections.flow.asking import Asked
from projections.flow.conversion import cohorts
from projections.flow.stuck import (
    Threshold,
    count_stuck,
    entering_version,
    stuck_deals,
    thresholds,
)
from projections.flow.survival import outcome_counts
from projections.flow.visits import LEFT, stage_visits
from projections.models import Told
from projections.tables import deal_periods
from projections.views import Views
from tests.laws.test_pipeline import value_of
from tests.projections.flow.walking import (
    Stood,
    cohorts_of,
    counted,
    course,
    outcomes_of,
    stage_visits_of,
    visits_of,
)
from tests.projections.histories import CURRENCIES, EPOCH, around, facts, histories
from tests.projections.period_rows import change, start
from tests.scenario import BOOK

T = TypeVar("T")

DAY = timedelta(days=1)
ZONES = [ZoneInfo(name) for name in ("UTC", "America/New_York", "Asia/Shanghai")]
merges = st.builds(DealMerged, st.just("d-9"), st.just("…"))
"""Facts of the histories, and now and then a merge."""


moves = st.one_of(
    st.builds(StageAdvanced, from_=st.just("contact"), to=st.just("proposal")),
    st.builds(StageRegressed, from_=st.just("proposal"), to=st.just("contact")),
    st.builds(OpportunityWon),
    st.builds(OpportunityWon),
    st.builds(OpportunityReopened, st.just("proposal"), st.just("…")),
    st.builds(OpportunitySuspended, st.just("…")),
)
"""What deals are stuck by: few stages, many wins, and some that are taken up again."""


@st.composite
def portfolios(
    draw: st.DrawFn, of: st.SearchStrategy[DealFact] | None
) -> list[tuple[DealEvent, ...]]:
    currencies = draw(st.lists(st.sampled_from(CURRENCIES), max_size=12))
    return [
        draw(histories(f"deal:d-{number}", currency, 8, _facts(currency) if of is None else of))
        for number, currency in enumerate(currencies)
    ]


@cache
def _facts(currency: str) -> st.SearchStrategy[DealFact]:
    return st.one_of(*[facts(currency)] * 9, merges)


class Shop:
    """The tables, and a copy of them."""

    def __init__(self, views: Views, folder: Path) -> None:
        self.views = views
        path = folder / "deals.views.db"
        self._rows = Columns(path, least_periods=10**9)
        self._copy = Columns(path, least_periods=1, least_changed=2)

    def hold(self, portfolio: Sequence[Sequence[DealEvent]]) -> None:
        for file in self._copy.files.all():
            file.path.unlink()
        start(self.views)
        names = deal_periods.c.keys()
        rows = {}
        for events in portfolio:
            deal_id = events[0].stream.partition(":")[2]
            told = Told(events[0].stream, tuple(events), tuple(range(1, len(events) + 1)), BOOK)
            made = periods.rows(told)[deal_periods]
            rows[deal_id] = [dict(zip(names, row, strict=True)) for row in made]
        change(self.views, rows)
        assert self._copy.maintain(self.views.reading) == any(rows.values())

    def ask(self, question: Callable[[Relation], T], asked: Asked) -> T:
        """The same answer three times: of the rows within reach, of all rows, and of the copy."""
        with self.views.reading() as connection:
            # What is put away is not looked for: the rows of the store are asked.
            with self._without_copy():
                answer = self._rows.ask(connection, question, asked.reach)
                assert self._rows.ask(connection, question) == answer
            assert self._copy.ask(connection, question, asked.reach) == answer
        return answer

    @contextmanager
    def _without_copy(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self._rows, "_asked", lambda *_: None)
            yield

    def close(self) -> None:
        self._rows.close()
        self._copy.close()


@pytest.fixture(scope="module")
def shop(views: Views, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with closing(Shop(views, tmp_path_factory.mktemp("columns"))) as shop:
        yield shop


@pytest.fixture(autouse=True, scope="module")
def few_deals_at_once() -> Iterator[None]:
    """Several portions, of small portfolios too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "MOST_DEALS", 4)
        yield


class Case:
    """A portfolio in the tables, a moment, and the courses of its deals up to that moment."""

    def __init__(
        self,
        shop: Shop,
        data: st.DataObject,
        of: st.SearchStrategy[DealFact] | None = None,
    ) -> None:
        self.portfolio = data.draw(portfolios(of))
        shop.hold(self.portfolio)
        draw = data.draw
        occurred = {one.occurred_at for events in self.portfolio for one in events}
        known = {one.known_at for events in self.portfolio for one in events}
        self.as_of: datetime = draw(
            st.sampled_from(
                [*(EPOCH + number * DAY for number in (40, 7, 6, 5)), *around(sorted(occurred))]
            )
        )
        self.known_at: datetime = draw(
            st.sampled_from([*[END_OF_TIME] * 6, *around(sorted(known))])
        )
        self.calendar = Calendar(draw(st.sampled_from(ZONES)), draw(st.sampled_from([1, 3])))
        self.zone = self.calendar.zone
        courses = [course(events, self.as_of, self.known_at) for events in self.portfolio]
        self.where = draw(filters([one[-1] for one in courses if one]))
        self.courses = [one if _matches(one, self.where) else [] for one in courses]
        self.unfiltered = courses

    def asked(self, by: str | None = None) -> Asked:
        return Asked(self.as_of, self.known_at, self.calendar, self.where, by)

    def values(self, by: str | None) -> list[str | None]:
        return [self._value(one, by) if one else None for one in self.courses]

    def _value(self, stood: Sequence[Stood], by: str | None) -> str | None:
        if by is None:
            return None
        if by in set(Grain):
            return self.calendar.holding(stood[0].at, Grain(by)).label
        return value_of(by, stood[-1].deal)


def _matches(stood: Sequence[Stood], where: dict[str, str]) -> bool:
    return bool(stood) and all(
        (value_of(name, stood[-1].deal) or "") == value for name, value in where.items()
    )


@st.composite
def filters(draw: st.DrawFn, ends: Sequence[Stood]) -> dict[str, str]:
    if not ends or draw(st.integers(0, 2)):
        return {}
    name = draw(st.sampled_from(DIMENSIONS))
    return {name: value_of(name, draw(st.sampled_from(ends)).deal) or ""}


dimensions = st.sampled_from([None, None, *DIMENSIONS, *Grain])


@settings(max_examples=settings().max_examples // 8)
@given(by=dimensions, data=st.data())
def test_visits_are_those_of_a_walk_and_every_visit_ends_somewhere(
    shop: Shop, by: str | None, data: st.DataObject
) -> None:
    case = Case(shop, data)
    asked = case.asked(by)
    found = shop.ask(lambda relation: stage_visits(relation, asked), asked)
    expected = stage_visits_of(case.courses, case.values(by), case.as_of, case.zone)
    key = operator.attrgetter("value", "place")
    assert {key(one): one for one in found} == {key(one): one for one in expected}
    assert len(found) == len(expected)
    for one in found:
        assert sum(one.exits.values()) == one.visits == sum(one.lasted.values())
        assert sum(one.completed.values()) == one.count(*LEFT)


@settings(max_examples=settings().max_examples // 8)
@given(grain=st.sampled_from(Grain), data=st.data())
def test_cohorts_are_those_of_a_walk(shop: Shop, grain: Grain, data: st.DataObject) -> None:
    case = Case(shop, data)
    asked = case.asked()
    found = shop.ask(lambda relation: cohorts(relation, asked, grain, BOOK), asked)
    labels = [case.calendar.holding(one[0].at, grain).label if one else "" for one in case.courses]
    told = {(one.period.label, one.process): counted(one) for one in found}
    assert told == cohorts_of(case.courses, labels)
    assert list(told) == sorted(told)


@settings(max_examples=settings().max_examples // 8)
@given(by=dimensions, data=st.data())
def test_outcomes_are_those_of_a_walk(shop: Shop, by: str | None, data: st.DataObject) -> None:
    case = Case(shop, data)
    asked = case.asked(by)
    found = shop.ask(lambda relation: outcome_counts(relation, asked), asked)
    values = case.values(by)
    for one in found:
        courses = [c for c, value in zip(case.courses, values, strict=True) if value == one.value]
        assert one.counts == outcomes_of(courses, case.as_of, case.zone)
    assert sum(n for one in found for n in one.counts.values()) == sum(map(bool, case.courses))


@settings(max_examples=settings().max_examples // 8)
@given(data=st.data())
def test_stuck_deals_are_those_of_a_walk(shop: Shop, data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stuck, "FEWEST", data.draw(st.integers(1, 3)))
        case = Case(shop, data, moves if data.draw(st.integers(0, 2)) else None)
        asked = case.asked()
        limits = shop.ask(lambda relation: thresholds(relation, asked), asked)
        assert {one.place: one for one in limits} == expected_thresholds(case)
        expected = expected_stuck(case)
        found = shop.ask(lambda relation: stuck_deals(relation, asked, limits, limit=99), asked)
        assert [(one.deal_id, one.days, one.threshold) for one in found] == expected
        for one in found:
            events = case.portfolio[int(one.deal_id.removeprefix("d-"))]
            version = entering_version(events, one, case.as_of, case.known_at)
            assert version is not None
            assert events[version - 1].occurred_at == one.entered_at
        if found:
            rest = shop.ask(
                lambda relation: stuck_deals(
                    relation, asked, limits, limit=99, after=found[0].after
                ),
                asked,
            )
            assert rest == found[1:]
            first = shop.ask(lambda relation: stuck_deals(relation, asked, limits, limit=1), asked)
            assert first == found[:1]
        counts = shop.ask(lambda relation: count_stuck(relation, asked, limits), asked)
        assert sum(one.stuck or 0 for one in counts) == len(expected)
        assert sum(one.open for one in counts) == sum(
            bool(stood) and stood[-1].status is Status.OPEN for stood in case.courses
        )
        assert {one.threshold.place for one in counts} >= {one.place for one in limits}


def expected_thresholds(case: Case) -> dict[Place, Threshold]:
    found: dict[Place, list[int]] = {}
    for stood in case.unfiltered:
        if stood and stood[-1].status is Status.WON:
            for visit in visits_of(stood, case.as_of, case.zone):
                found.setdefault(visit.place, []).append(visit.days)
    return {
        place: Threshold(
            place,
            len(days),
            min(d for d in days if 100 * sum(one <= d for one in days) >= 80 * len(days))
            if len(days) >= stuck.FEWEST
            else None,
        )
        for place, days in found.items()
    }


def expected_stuck(case: Case) -> list[tuple[str, int, int]]:
    limits = expected_thresholds(case)
    found = []
    for number, stood in enumerate(case.courses):
        if not stood or stood[-1].status is not Status.OPEN:
            continue
        visit = visits_of(stood, case.as_of, case.zone)[-1]
        limit = limits.get(visit.place)
        if limit is not None and limit.days is not None and visit.days > limit.days:
            found.append((visit.since, f"d-{number}", visit.days, limit.days))
    return [(deal_id, days, limit) for _, deal_id, days, limit in sorted(found)]
