"""Against whom we sell, as far as we looked."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import takewhile
from typing import TypeAlias

from domain.buying.facts import PurchaseMethod
from domain.competition.facts import (
    CompetitorIdentified,
    CompetitorKind,
    CompetitorMoved,
    PositionAssessed,
    Rank,
)
from domain.deal import Deal
from domain.history import Recorded
from domain.lifecycle.facts import (
    LostOutcome,
    OpportunityLost,
    OpportunityRevised,
    StrategyChosen,
)
from domain.process import ProcessBook
from domain.stages.facts import GateCriterionAttested, GateCriterionRevoked
from domain.values import BusinessType
from projections.findings.case import Case, Moment, lasting, runs
from projections.findings.finding import Firing, Kind, Weight
from projections.findings.pauses import later
from projections.findings.rule import Rule

_KNOWN = "competitors-known"
_OF_COMPETITORS = frozenset(
    {_KNOWN, "competitor-move-known", "competitor-moves-recent", "scored-against-competitor"}
)
"""The predicates that ask something of competitors, and do not apply where there are none."""
_FOLLOWS_ON = (BusinessType.RENEWAL, BusinessType.ADD_ON)
_NOBODY_KNOWS = "unknown"


def competitor_unseen(case: Case) -> Iterator[Firing]:
    """P2 left with no competitor known nor attested absent; or lost to one never recorded.

    The former not for what follows on earlier business (renewal, add-on), nor from a single
    source; it ends once one is known or attested absent, or the deal goes back to P2. They are
    attested absent by what says that a criterion about competitors does not apply.
    """
    for moment in case.moments:
        if not runs(moment.before) or not moment.left(2):
            continue
        asking = _asking_of_competitors(case.processes)
        if _unseen(moment.deal, asking):
            yield Firing(
                since=moment.at,
                until=case.first(moment, partial(_seen_or_back, asking)),
                evidence=(moment.event.version,),
                trigger=moment.event.version,
                told={"stage": moment.before.stages.stage or ""},
                needs=(Kind.COMPETITORS,),
                wording="left",
            )
    yield from _lost_to_unseen(case)


_Asking: TypeAlias = frozenset[tuple[str, str]]
"""Criteria that ask something of competitors, each with its predicate."""


def _asking_of_competitors(processes: ProcessBook) -> _Asking:
    """Those of every process: a deal may have been attested under another than today's."""
    return frozenset(
        (one.id, one.predicate)
        for process in processes
        for stage in process.stages
        for one in stage.gate
        if one.predicate in _OF_COMPETITORS
    )


def _seen_or_back(asking: _Asking, later: Moment) -> bool:
    return not _unseen(later.deal, asking) or (later.phase is not None and later.phase <= 2)


def _unseen(deal: Deal, asking: _Asking) -> bool:
    mode = deal.purchase.mode
    single = mode is not None and mode.fact.method is PurchaseMethod.SINGLE_SOURCE
    if single or deal.field.competitors or deal.life.business_type in _FOLLOWS_ON:
        return False
    return not any(
        (event.fact.criterion == criterion and event.fact.aspect is None)
        and (predicate == _KNOWN or not event.fact.applies)
        for event in deal.stages.attestations
        for criterion, predicate in asking
    )


def _lost_to_unseen(case: Case) -> Iterator[Firing]:
    for moment in case.of(OpportunityLost):
        winner = moment.fact.competitor
        if moment.fact.outcome is not LostOutcome.LOST_TO_COMPETITOR or not winner:
            continue
        unknown = _called(winner) == _NOBODY_KNOWS
        vendors = [
            one.fact
            for one in moment.before.field.competitors
            if one.fact.kind is CompetitorKind.VENDOR or not unknown
        ]
        if any(unknown or _called(winner) in map(_called, (one.id, one.name)) for one in vendors):
            continue
        yield Firing(
            since=moment.at,
            evidence=(moment.event.version,),
            trigger=moment.event.version,
            told={"vendor": winner},
            needs=(Kind.COMPETITORS,),
            wording="lost-to-nobody-knows-whom" if unknown else "lost",
            of_outcome=True,
        )


def _called(name: str) -> str:
    return name.strip().casefold()


def lagging_unanswered(case: Case) -> Iterator[Firing]:
    """Our position lagging for so many days, with no strategy chosen since it began to.

    While the deal rests, or waits from a bid's deadline for the award, no time passes.
    """
    return lasting(case, _lagging)


def _lagging(now: Moment) -> Iterator[Firing]:
    positions = now.deal.field.positions
    lagging = list(takewhile(_lags, reversed(positions)))[::-1]
    if not lagging or _answered(now.deal, lagging[0]):
        return
    begun = lagging[0].occurred_at
    clock = now.case.clock(begun, now)
    if clock is None:
        return
    since, until = clock
    days = now.settings.lagging_days
    yield Firing(
        since=later(since, timedelta(days=days)),
        until=until,
        evidence=tuple(sorted(one.version for one in lagging)),
        told={"days": days, "since": begun.date().isoformat()},
    )


def _lags(position: Recorded[PositionAssessed]) -> bool:
    return position.fact.rank is Rank.LAGGING


def _answered(deal: Deal, lagging: Recorded[PositionAssessed]) -> bool:
    chosen = deal.life.strategy
    return chosen is not None and chosen.occurred_at >= lagging.occurred_at


RULES = (
    Rule(
        "competitor-unseen",
        competitor_unseen,
        Weight.MISTAKE,
        reads=(
            CompetitorIdentified,
            CompetitorMoved,
            PositionAssessed,
            OpportunityRevised,
            GateCriterionAttested,
            GateCriterionRevoked,
        ),
    ),
    Rule(
        "lagging-unanswered",
        lagging_unanswered,
        Weight.MISTAKE,
        reads=(PositionAssessed, StrategyChosen),
    ),
)
"""The rules of this family."""
