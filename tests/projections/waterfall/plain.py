"""The waterfall in plain Python, as it is defined: deal by deal, instant by instant."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from domain.deal import DealEvent, replay
from domain.lifecycle import Status
from projections.waterfall.asking import Question
from projections.waterfall.bridge import Waterfall
from tests.laws.test_pipeline import amount_of, value_of
from tests.projections.histories import MICROSECOND

Place: TypeAlias = tuple[str | None, ...]
"""The values of a group, and the currency behind them."""

Figures: TypeAlias = tuple[int, Decimal]
NOTHING = Decimal(0)


class Fact(NamedTuple):
    """What counts of a deal at a moment."""

    status: Status
    outcome: str | None
    close: str
    """Where its expected close lies: within, earlier, later or undated."""
    place: Place
    wanted: bool
    amount: Decimal | None
    closed_at: datetime | None

    @property
    def inside(self) -> bool:
        return self.status is Status.OPEN and self.close == "within"

    @property
    def worth(self) -> Decimal:
        return self.amount or NOTHING


class Happened(NamedTuple):
    """One thing that happened to a group."""

    line: str
    place: Place
    wanted: bool
    deals: int
    amount: Decimal


class Plain(NamedTuple):
    """Of one group: start, lines and end, each as deals and amount; lines also as how often."""

    start: tuple[int, int, Decimal]
    lines: dict[str, tuple[int, Decimal, int]]
    end: tuple[int, int, Decimal]


def fact_at(
    events: Sequence[DealEvent], as_of: datetime, known_at: datetime, question: Question
) -> Fact | None:
    deal = replay(events, as_of, known_at)
    if deal.life.opened_at is None:
        return None
    return Fact(
        deal.life.status,
        deal.life.outcome_name,
        close_of(deal.stages.expected_close, question.closing),
        (*(value_of(name, deal) for name in question.by), deal.life.currency),
        all((value_of(n, deal) or "") == v for n, v in question.where.items()),
        amount_of(deal),
        deal.life.closed_at,
    )


def close_of(close: date | None, window: tuple[date, date] | None) -> str:
    if window is None:
        return "within"
    if close is None:
        return "undated"
    return "earlier" if close < window[0] else "later" if close > window[1] else "within"


def waterfall_of(
    histories: Sequence[Sequence[DealEvent]], question: Question
) -> dict[Place, Plain]:
    """All groups in which something stands or happened."""
    start: defaultdict[Place, list[Fact]] = defaultdict(list)
    end: defaultdict[Place, list[Fact]] = defaultdict(list)
    lines: defaultdict[Place, list[Happened]] = defaultdict(list)
    known = knowledge(question)
    for events in histories:
        for at, knew, stands in (
            (question.since, known[0], start),
            (question.until, known[1], end),
        ):
            fact = fact_at(events, at, knew, question)
            if fact is not None and fact.inside and fact.wanted:
                stands[fact.place].append(fact)
        for one in (*learned(events, question), *walked(events, question)):
            if one.wanted:
                lines[one.place].append(one)
    places = dict.fromkeys([*start, *end, *lines])
    return {
        place: Plain(_stand(start[place]), _summed(lines[place]), _stand(end[place]))
        for place in places
    }


def knowledge(question: Question) -> tuple[datetime, datetime]:
    if question.as_believed:
        return question.since, question.until
    return question.known_at, question.known_at


def walked(events: Sequence[DealEvent], question: Question) -> Iterator[Happened]:
    """What happened to one deal behind the start up to the end."""
    known = knowledge(question)[1]
    instants = {event.occurred_at for event in events}
    for at in sorted(one for one in instants if question.since < one <= question.until):
        before = fact_at(events, at - MICROSECOND, known, question)
        after = fact_at(events, at, known, question)
        if after is not None:
            yield from happened(before, after)


def learned(events: Sequence[DealEvent], question: Question) -> Iterator[Happened]:
    """What became known of the start up to the end."""
    believed, known = knowledge(question)
    was = fact_at(events, question.since, believed, question)
    now = fact_at(events, question.since, known, question)
    was = was if was and was.inside else None
    now = now if now and now.inside else None
    if was and now and (was.place, was.wanted) == (now.place, now.wanted):
        if was.worth != now.worth:
            yield Happened("corrected", now.place, now.wanted, 0, now.worth - was.worth)
        return
    if was:
        yield Happened("corrected", was.place, was.wanted, -1, -was.worth)
    if now:
        yield Happened("corrected", now.place, now.wanted, 1, now.worth)


def happened(before: Fact | None, after: Fact) -> Iterator[Happened]:
    """A change at one instant, in the order in which its parts count."""
    was_inside = before is not None and before.inside
    if not was_inside and not after.inside and not passed(before, after):
        return
    here, worth = after, after.worth
    if before is None:
        yield Happened("created", after.place, after.wanted, 1, after.worth)
    elif not was_inside:
        yield Happened(came(before), after.place, after.wanted, 1, before.worth)
        worth = before.worth
    elif not after.inside:
        here, worth = before, before.worth
    else:
        worth = before.worth
        if (before.place, before.wanted) != (after.place, after.wanted):
            yield Happened("moved-out", before.place, before.wanted, -1, -worth)
            yield Happened("moved-in", after.place, after.wanted, 1, worth)
    if after.worth > worth:
        yield Happened("increased", here.place, here.wanted, 0, after.worth - worth)
    if after.worth < worth:
        yield Happened("decreased", here.place, here.wanted, 0, after.worth - worth)
    if not after.inside:
        yield Happened(went(after), here.place, here.wanted, -1, -after.worth)


def passed(before: Fact | None, after: Fact) -> bool:
    """Where it neither was nor is inside: whether it ended or rested now, and so was open before
    that, for an instant."""
    if after.status is Status.OPEN or after.close != "within":
        return False
    if before is None or before.status is Status.OPEN:
        return True
    if after.status is Status.MERGED:
        return False
    if after.status is Status.SUSPENDED:
        return before.status is not Status.SUSPENDED
    return (before.status, before.outcome, before.closed_at) != (
        after.status,
        after.outcome,
        after.closed_at,
    )


def came(before: Fact) -> str:
    """Why it came in, from what it was."""
    if before.status is Status.OPEN:
        return "pulled-in:" + {"undated": "undated"}.get(before.close, f"from-{before.close}")
    return "resumed" if before.status is Status.SUSPENDED else "reopened"


def went(after: Fact) -> str:
    """Why it went out, from what it became."""
    match after.status:
        case Status.OPEN:
            return "pushed-out:" + {"undated": "undated"}.get(after.close, f"to-{after.close}")
        case Status.LOST | Status.VOIDED:
            return f"lost:{after.outcome}"
        case _:
            return after.status.value


def _stand(facts: Sequence[Fact]) -> tuple[int, int, Decimal]:
    unknown = sum(fact.amount is None for fact in facts)
    return len(facts), unknown, sum((fact.worth for fact in facts), NOTHING)


def _summed(some: Sequence[Happened]) -> dict[str, tuple[int, Decimal, int]]:
    found: dict[str, tuple[int, Decimal, int]] = {}
    for one in some:
        deals, amount, times = found.get(one.line, (0, NOTHING, 0))
        found[one.line] = (deals + one.deals, amount + one.amount, times + 1)
    return found


def told(answer: Waterfall, question: Question) -> dict[Place, Plain]:
    """The answer in the same form; lines on which nothing happened are left out."""
    return {
        (*(row.group[name] for name in question.by), row.currency): Plain(
            (row.start.deals, row.start.unpriced, row.start.amount),
            {str(one.line): (one.deals, one.amount, one.times) for one in row.lines if one.times},
            (row.end.deals, row.end.unpriced, row.end.amount),
        )
        for row in answer.rows
    }
