"""Lift: what the findings of a portfolio have to do with losing.

Theory of operation. Of every deal that was won or lost a summary is kept: how far it came, and
since when each rule fired. For each rule, the deals in which it fired at least thirty days before
the outcome are set against those in which it did not, lost against won. This is done apart for each
furthest stage of a process, since a deal that came further had more time for findings, and better
odds; only stages that hold lost and won deals tell anything. The tables of the stages are pooled
by Mantel and Haenszel: the ratio of the odds of losing with the finding to those without.
The interval is that of Robins, Breslow and Greenland; both are worked out by statsmodels.

A lift above 1 is no proof of a cause: who makes one mistake often makes others.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

import msgspec

from domain.deal import NOBODY, Deal, DealEvent
from domain.lifecycle import Status
from domain.organisation import Organisation
from domain.process import ProcessBook
from projections.findings.book import BOOK
from projections.findings.case import PHASES, Case, runs
from projections.findings.judging import judge
from projections.findings.rule import Rule
from projections.findings.settings import DEFAULTS, Settings
from projections.frames import Frame, frames_of

LEAD = timedelta(days=30)
"""How long before the outcome a finding has to have begun."""
FEWEST = 5
"""Where fewer deals fired, did not fire, were lost or were won, no ratio is given."""


class Result(StrEnum):
    """What lift compares. Voided and merged deals are neither."""

    WON = "won"
    LOST = "lost"


class Reached(msgspec.Struct, frozen=True, order=True):
    """The furthest stage of a process."""

    process: str
    position: int
    """Of the stage in its process, from 0."""
    stage: str
    phase: int | None = None
    """Which phase of the decision cycle the stage assumes, 0 to 7; None: it tells none."""


class Fired(msgspec.Struct, frozen=True):
    """A rule that fired, and since when first."""

    rule: str
    since: datetime
    happened_at: datetime | None = None
    """When what it found happened, where that could be told only at `since`."""


class DealSummary(msgspec.Struct, frozen=True):
    """What lift has to know of a decided deal."""

    deal_id: str
    result: Result
    opened_at: datetime
    decided_at: datetime
    reached: Reached
    """Before the outcome."""
    fired: tuple[Fired, ...]
    """Before the outcome; so without what is about the outcome itself."""
    not_assessable: tuple[str, ...]
    """Rules that could not tell."""


class Stratum(msgspec.Struct, frozen=True):
    """The deals that came equally far, in numbers."""

    reached: Reached
    lost_fired: int = 0
    lost: int = 0
    """With and without the finding."""
    won_fired: int = 0
    won: int = 0

    @property
    def table(self) -> "Table":
        """Fired and not, by lost and won."""
        return (
            (self.lost_fired, self.won_fired),
            (self.lost - self.lost_fired, self.won - self.won_fired),
        )

    @property
    def tells(self) -> bool:
        """Whether it holds lost and won deals."""
        return bool(self.lost and self.won)


Table: TypeAlias = tuple[tuple[int, int], tuple[int, int]]


class Lift(msgspec.Struct, frozen=True):
    """What one rule has to do with losing."""

    rule: str
    lost_fired: int
    """Here and below: of the deals in stages that hold lost and won ones."""
    lost: int
    won_fired: int
    won: int
    not_assessable: int
    """Deals in which the rule could not tell; they are not among the others."""
    lift: float | None
    """Pooled ratio of the odds of losing, with the finding to without; None: too few."""
    low: float | None
    """Of the interval that holds the ratio with a confidence of 95 %."""
    high: float | None
    strata: tuple[Stratum, ...]
    """All of them, also those that tell nothing, in order of process and stage."""

    @property
    def too_few(self) -> bool:
        return self.lift is None


class LiftTable(msgspec.Struct, frozen=True):
    """The lift of every rule; first the one that surely has the most to do with losing."""

    rules: tuple[Lift, ...]
    """By the lower end of the interval, falling; those with too few deals last, by name."""
    lost: int
    won: int
    too_short: int
    """Decided deals opened less than the lead before their outcome, when nothing could fire yet."""


# What is kept of a deal.


def summary_of(
    deal_id: str,
    events: Sequence[DealEvent],
    processes: ProcessBook,
    *,
    secrets: bool,
    settings: Settings = DEFAULTS,
    organisation: Organisation = NOBODY,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> DealSummary | None:
    """The summary of a deal that was won or lost at (as of, known at); None: it was neither.

    Rules that rest on secrets are asked only where `secrets` are shown. The rules do not see the
    outcome, nor what was learned behind it: neither what fired nor what could not tell may follow
    from how the deal ended, and lost deals are looked back on more than won ones.
    """
    frames = frames_of(events, as_of, known_at)
    result = _result(frames[-1].after) if frames else None
    if result is None:
        return None
    last = max(i for i, one in enumerate(frames) if runs(one.before) and not runs(one.after))
    outcome = frames[last]
    case = Case(_before(outcome, events), processes, outcome.at, settings, organisation)
    assessed = judge(case, secrets=secrets)
    first: dict[str, Fired] = {}
    for one in assessed.findings:
        if not one.of_outcome:
            first.setdefault(one.rule, Fired(one.rule, one.since, one.happened_at))
    opened_at = outcome.before.life.opened_at
    assert opened_at is not None
    return DealSummary(
        deal_id=deal_id,
        result=result,
        opened_at=opened_at,
        decided_at=outcome.at,
        reached=furthest(outcome.before, processes),
        fired=tuple(first.values()),
        not_assessable=tuple(sorted(assessed.not_assessable)),
    )


def _before(outcome: Frame, events: Sequence[DealEvent]) -> list[Frame]:
    """The frames before an outcome, by what was known when it became known."""
    known = frames_of(events, outcome.at, outcome.event.known_at)
    versions = [frame.event.version for frame in known]
    return known[: versions.index(outcome.event.version)]


def _result(deal: Deal) -> Result | None:
    match deal.life.status:
        case Status.WON:
            return Result.WON
        case Status.LOST:
            return Result.LOST
        case _:
            return None


def furthest(deal: Deal, processes: ProcessBook) -> Reached:
    """The furthest stage that a deal came to in its process, before anything that follows a win."""
    name = deal.life.process.id if deal.life.process else ""
    process = processes.get(deal.life.process) if deal.life.process else None
    visited = {visit.stage for visit in deal.stages.visits}
    selling = [
        (position, stage)
        for position, stage in enumerate(process.stages if process else ())
        if stage.id in visited and not stage.after_win
    ]
    if not selling:
        return Reached(name, 0, deal.stages.stage or "")
    position, stage = selling[-1]
    phase = PHASES.index(stage.decision_phase) if stage.decision_phase else None
    return Reached(name, position, stage.id, phase)


# The table.


def lift_table(
    summaries: Iterable[DealSummary],
    *,
    secrets: bool,
    rules: Sequence[Rule] = BOOK,
    lead: timedelta = LEAD,
) -> LiftTable:
    """The lift of every rule; of those that rest on secrets only where `secrets` are shown."""
    decided = list(summaries)
    long_enough = [one for one in decided if one.decided_at - one.opened_at >= lead]
    results = Counter(one.result for one in decided)
    asked = [rule.id for rule in rules if secrets or not rule.secret]
    lifts = [_lift(rule, long_enough, lead) for rule in asked]
    return LiftTable(
        rules=tuple(sorted(lifts, key=_rank)),
        lost=results[Result.LOST],
        won=results[Result.WON],
        too_short=len(decided) - len(long_enough),
    )


def _rank(one: Lift) -> tuple[float, str]:
    return (float("inf") if one.low is None else -one.low, one.rule)


def _lift(rule: str, deals: Collection[DealSummary], lead: timedelta) -> Lift:
    assessable = [one for one in deals if _can_tell(rule, one, lead)]
    strata = _strata(rule, assessable, lead)
    telling = [one for one in strata if one.tells]
    lift, low, high = pooled([one.table for one in telling])
    return Lift(
        rule=rule,
        lost_fired=sum(one.lost_fired for one in telling),
        lost=sum(one.lost for one in telling),
        won_fired=sum(one.won_fired for one in telling),
        won=sum(one.won for one in telling),
        not_assessable=len(deals) - len(assessable),
        lift=lift,
        low=low,
        high=high,
        strata=strata,
    )


def _can_tell(rule: str, deal: DealSummary, lead: timedelta) -> bool:
    """Whether the rule could tell so long before the outcome: what it tells later is no `no`."""
    if rule in deal.not_assessable:
        return False
    return not any(
        one.rule == rule
        and one.happened_at is not None
        and deal.decided_at - one.since < lead <= deal.decided_at - one.happened_at
        for one in deal.fired
    )


def _strata(rule: str, deals: Iterable[DealSummary], lead: timedelta) -> tuple[Stratum, ...]:
    counted: dict[Reached, Counter[tuple[Result, bool]]] = defaultdict(Counter)
    for deal in deals:
        # Differences, because a moment thirty days before the first there is cannot be told.
        fired = any(one.rule == rule and deal.decided_at - one.since >= lead for one in deal.fired)
        counted[deal.reached][deal.result, fired] += 1
    return tuple(
        Stratum(
            reached,
            lost_fired=of[Result.LOST, True],
            lost=of[Result.LOST, True] + of[Result.LOST, False],
            won_fired=of[Result.WON, True],
            won=of[Result.WON, True] + of[Result.WON, False],
        )
        for reached, of in sorted(counted.items(), key=lambda pair: _order(pair[0]))
    )


def _order(reached: Reached) -> tuple[str, int, str]:
    return (reached.process, reached.position, reached.stage)


_NONE = (None, None, None)


def pooled(tables: Sequence[Table]) -> tuple[float, float, float] | tuple[None, None, None]:
    """The pooled odds ratio and its interval of 95 %; Nones where the deals are too few.

    Each table is ((fired and lost, fired and won), (not fired and lost, not fired and won)).
    Where all tables together leave the ratio at zero or without limit, half a deal is added to
    every cell of each table that has an empty one.
    """
    from statsmodels.stats.contingency_tables import StratifiedTable

    margins = (
        sum(a + b for (a, b), _ in tables),
        sum(c + d for _, (c, d) in tables),
        sum(a + c for (a, _), (c, _) in tables),
        sum(b + d for (_, b), (_, d) in tables),
    )
    if min(margins) < FEWEST:
        return _NONE
    # A stage in which the rule fired in all deals, or in none, has no part in the ratio.
    telling = [((a, b), (c, d)) for (a, b), (c, d) in tables if (a + b) and (c + d)]
    bounded = any(a * d for (a, _), (_, d) in telling) and any(b * c for (_, b), (c, _) in telling)
    if not telling:
        return _NONE
    found = StratifiedTable(telling, shift_zeros=not bounded)
    low, high = found.oddsratio_pooled_confint()
    return float(found.oddsratio_pooled), float(low), float(high)


__all__ = [
    "DealSummary",
    "Fired",
    "Lift",
    "LiftTable",
    "Reached",
    "Result",
    "Stratum",
    "furthest",
    "lift_table",
    "pooled",
    "summary_of",
]
