"""Law: coverage is what a plain count over folded deals comes to, whatever the targets are."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.deal import Deal, DealEvent, replay
from domain.lifecycle import Status
from domain.targets import Target
from domain.values import END_OF_TIME, Money
from projections.calendar import Calendar
from projections.columns import Columns
from projections.operating.coverage import (
    Coverage,
    CoverageQuestion,
    Covered,
    coverage,
)
from projections.views import Views
from tests.laws.test_operating import BOOK_OF_RATES, HOURS, ZONES, portfolio_of, seen
from tests.laws.test_pipeline import amount_of, is_there, percent_of
from tests.projections.histories import EPOCH
from tests.projections.stores import project

UNITS = {"sales": {"ann", "bo"}}


def question_of(chance: Random) -> CoverageQuestion:
    zone = chance.choice(ZONES)
    first = date(2026, 3, 2) + timedelta(days=chance.randint(-3, 5))
    period = Calendar(zone).days(first, first + timedelta(days=chance.randint(0, 6)))
    at = EPOCH + timedelta(hours=chance.choice(HOURS))
    known_at = chance.choice([END_OF_TIME, END_OF_TIME, EPOCH + timedelta(days=3)])
    as_of = chance.choice([EPOCH + timedelta(days=30), EPOCH + timedelta(days=370), at])
    return CoverageQuestion(as_of, known_at, period, zone, BOOK_OF_RATES.as_known(known_at))


def targets_of(chance: Random, question: CoverageQuestion) -> list[Target]:
    whose = [{"owner": "ann"}, {"owner": "bo"}, {"territory": "North"}, {"unit": "sales"}, {}]
    return [
        Target(
            *(question.period.first, question.period.last),
            Money.from_minor(chance.choice([1, 10**6, 10**11]), chance.choice(["USD", "JPY"])),
            one.get("owner"),
            one.get("territory"),
            one.get("unit"),
            1,
        )
        for one in chance.sample(whose, chance.randint(0, 3))
    ]


def is_for(target: Target, owner: str | None, territory: str | None) -> bool:
    if target.owner:
        return owner == target.owner
    if target.territory:
        return territory == target.territory
    return owner in UNITS[target.unit] if target.unit else True


class Plain:
    """The deals one by one."""

    def __init__(
        self, portfolio: Sequence[Sequence[DealEvent]], question: CoverageQuestion
    ) -> None:
        self.question = question
        at = (question.as_of, question.known_at)
        deals = [(events, replay(events, *at)) for events in portfolio]
        self.deals = [(events, deal) for events, deal in deals if is_there(deal)]

    def of(self, targets: Sequence[Target], currency: str | None) -> dict[str, Any]:
        """What is for any of the targets; without a currency: what is for none of them."""
        found: dict[str, Any] = {"decided": 0, "decided_won": 0}
        names = ("won", "pipeline", "weighted")
        sums: dict[str, Counter[Any]] = {name: Counter() for name in names}
        for events, deal in self.deals:
            closed_at = deal.life.closed_at
            is_decided = deal.life.status in {Status.WON, Status.LOST} and closed_at is not None
            then = replay(events, closed_at, self.question.known_at) if is_decided else deal
            mine = any(is_for(one, then.life.owner, then.life.territory) for one in targets)
            if mine is (currency is None):
                continue
            is_won = deal.life.status is Status.WON
            if is_decided and closed_at is not None:
                recent = closed_at > self.question.year_before
                found["decided"] += recent
                found["decided_won"] += recent and is_won
                if is_won and self.is_in_the_period(closed_at):
                    self.add(sums["won"], deal, currency, closed_at, Fraction(1))
            elif self.is_expected(deal):
                percent = Fraction(percent_of(deal), 100)
                self.add(sums["pipeline"], deal, currency, self.question.as_of, Fraction(1))
                self.add(sums["weighted"], deal, currency, self.question.as_of, percent)
        return {**found, **{name: +values for name, values in sums.items()}}

    def is_in_the_period(self, moment: datetime) -> bool:
        return self.question.period.holds(moment)

    def is_expected(self, deal: Deal) -> bool:
        close, period = deal.stages.expected_close, self.question.period
        return (
            deal.life.status is Status.OPEN
            and close is not None
            and period.first <= close <= period.last
        )

    def add(
        self, sums: Counter[Any], deal: Deal, target: str | None, at: datetime, part: Fraction
    ) -> None:
        currency, amount = deal.life.currency or "", amount_of(deal)
        day = at.astimezone(self.question.zone).date()
        rate = self.question.rates.rate(currency, target, day) if target else None
        sums["deals"] += 1
        sums["without"] += amount is None
        worth: Any = Fraction(amount or 0) * (Fraction(rate.value) if rate else 1) * part
        sums[target if rate else currency] += worth


def told(covered: Covered) -> dict[str, Any]:
    sums = {}
    for name in ("won", "pipeline", "weighted"):
        one = getattr(covered, name)
        sums[name] = +Counter({"deals": one.deals, "without": one.without_amount, **one.amounts})
    return {"decided": covered.decided, "decided_won": covered.decided_won, **sums}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("columns")


@pytest.fixture(scope="module")
def no_copy(folder: Path) -> Iterator[Columns]:
    with closing(Columns(folder / "none" / "deals.views.db")) as columns:
        yield columns


def ask(
    views: Views, columns: Columns, question: CoverageQuestion, targets: Sequence[Target]
) -> Coverage:
    with views.reading() as connection:
        return coverage(connection, columns, question, targets, lambda unit: UNITS[unit])


@settings(max_examples=settings().max_examples // 6)
@given(seed=st.integers(0, 2**64))
def test_coverage_is_what_a_plain_count_comes_to(
    views: Views, folder: Path, no_copy: Columns, seed: int
) -> None:
    chance = Random(seed)
    portfolio, question = portfolio_of(chance), question_of(chance)
    targets = targets_of(chance, question)
    project(views, portfolio)
    seen(views)
    answer = ask(views, no_copy, question, targets)
    with closing(Columns(folder / "deals.views.db", least_periods=1, least_changed=2)) as columns:
        assert columns.maintain(views.reading)
        again = ask(views, columns, question, targets)
    assert [told(one.covered) for one in again.targets] == [
        told(one.covered) for one in answer.targets
    ]

    plain = Plain(portfolio, question)
    for one in answer.targets:
        code = one.target.amount.currency
        expected = plain.of([one.target], code)
        assert told(one.covered) == expected
        assert one.remaining == Fraction(one.target.amount.amount) - expected["won"][code]
    assert told(answer.untargeted) == plain.of(targets, None)
