"""What was offered, and priced, before it was known what for."""

from collections.abc import Iterator

from domain.buying.facts import (
    CriteriaStatus,
    CriteriaStatusObserved,
    DecisionCriterionDropped,
    DecisionCriterionSet,
    OurPart,
    OurPartObserved,
    ProposalKind,
    ProposalSubmitted,
)
from domain.deal import Deal
from domain.lifecycle.facts import StrategyChosen
from domain.needs.facts import NeedDeveloped, NeedUncovered, ValueConfirmed
from domain.negotiation.facts import NegotiationOpened
from domain.people.facts import ContactKind, ContactMade
from domain.process import BuyingPhase
from projections.findings.case import PHASES, Case, Moment, lasting
from projections.findings.finding import Firing, Kind, Weight
from projections.findings.rule import Rule

_SHOWING = (ContactKind.DEMO, ContactKind.PITCH)
_BINDING = (ProposalKind.FORMAL, ProposalKind.BID)
_CRITERIA = PHASES.index(BuyingPhase.CRITERIA)

_OF_NEEDS = (NeedUncovered, NeedDeveloped)
_OF_CRITERIA = (DecisionCriterionSet, DecisionCriterionDropped, CriteriaStatusObserved)


def solution_too_early(case: Case) -> Iterator[Firing]:
    """A formal proposal, a demo or a pitch before any explicit need.

    Of a blind proposal `blind_proposal` speaks alone, from when on it can tell.
    """
    for moment in case.of(ContactMade, ProposalSubmitted):
        if not _shows_a_solution(moment) or has_explicit_need(moment.before):
            continue
        ends = [case.first(moment, lambda later: has_explicit_need(later.deal))]
        if _blind(moment):
            needs, criteria = case.recorded_from(Kind.NEEDS), case.recorded_from(Kind.CRITERIA)
            if needs and criteria and criteria.at <= max(moment.at, needs.at):
                continue
            ends.append(criteria.at if criteria else None)
        yield Firing(
            since=moment.at,
            until=min((end for end in ends if end is not None), default=None),
            evidence=(moment.event.version,),
            trigger=moment.event.version,
            subject=str(moment.event.version),
            told={"what": moment.fact.kind.value},
            needs=(Kind.NEEDS,),
        )


def _shows_a_solution(moment: Moment) -> bool:
    return moment.fact.kind in (*_SHOWING, ProposalKind.FORMAL)


def has_explicit_need(deal: Deal) -> bool:
    """Whether the customer wants at least one problem solved."""
    return any(need.explicit for need in deal.needs.needs)


def criteria_known(deal: Deal) -> bool:
    """Whether one of the customer's criteria is known, or they are ours, which we then know."""
    status = deal.purchase.criteria_status
    with_us = status is not None and status.fact.status is CriteriaStatus.WITH_US
    return with_us or bool(deal.purchase.criteria)


def blind_proposal(case: Case) -> Iterator[Firing]:
    """A formal proposal or bid when neither needs nor criteria were known.

    It is made good when both are known.
    """
    for moment in case.of(ProposalSubmitted):
        if _blind(moment):
            yield Firing(
                since=moment.at,
                until=case.first(
                    moment,
                    lambda later: bool(later.deal.needs.needs) and criteria_known(later.deal),
                ),
                evidence=(moment.event.version,),
                trigger=moment.event.version,
                subject=str(moment.event.version),
                told={"what": moment.fact.kind.value},
                needs=(Kind.NEEDS, Kind.CRITERIA),
            )


def _blind(moment: Moment) -> bool:
    return (
        moment.fact.kind in _BINDING
        and not moment.before.needs.needs
        and not criteria_known(moment.before)
    )


def proposal_without_criteria(case: Case) -> Iterator[Firing]:
    """A proposal when needs were known and criteria not.

    A simplified proposal is made to shape them, and so is a preliminary one before the
    customer sets criteria: the process asks for one while the project is being approved.
    """
    for moment in case.of(ProposalSubmitted):
        known = moment.before.needs.needs
        if known and not criteria_known(moment.before) and not _shapes_criteria(moment):
            yield Firing(
                since=moment.at,
                until=case.first(moment, lambda later: criteria_known(later.deal)),
                evidence=(moment.event.version,),
                trigger=moment.event.version,
                subject=str(moment.event.version),
                told={"what": moment.fact.kind.value},
                needs=(Kind.CRITERIA,),
            )


def _shapes_criteria(moment: Moment) -> bool:
    if moment.fact.kind is ProposalKind.PRELIMINARY:
        return moment.phase is None or moment.phase < _CRITERIA
    return moment.fact.kind is ProposalKind.SIMPLIFIED


def column_fodder(case: Case) -> Iterator[Firing]:
    """Our part is not contender, and a formal proposal or bid went out without a strategy.

    It holds from when both are known, until a strategy is chosen or we are a contender.
    Who has told of our part has looked at how to win: a strategy missing then is missing.
    """
    return lasting(case, _fodder)


def _fodder(now: Moment) -> Iterator[Firing]:
    purchase = now.deal.purchase
    handed_in = [one for one in purchase.proposals if one.fact.kind in _BINDING]
    if not handed_in or now.deal.life.strategy is not None:
        return
    part = purchase.our_part
    if part is None:
        if now.case.recorded_from(Kind.PART) is None:
            # What they use us for is nowhere on record: that cannot be told.
            yield Firing(since=now.at, evidence=(handed_in[-1].version,), needs=(Kind.PART,))
        return
    if part.fact.part is not OurPart.CONTENDER:
        yield Firing(
            since=now.at,
            evidence=tuple(sorted((part.version, handed_in[-1].version))),
            told={"what": handed_in[-1].fact.kind.value, "part": part.fact.part.value},
        )


def price_before_value(case: Case) -> Iterator[Firing]:
    """A negotiation opened with no confirmed value or no explicit need.

    Value is recorded where needs are: a deal with needs on record and no confirmed value
    has none.
    """
    for moment in case.of(NegotiationOpened):
        missing = _undefended(moment.before)
        if missing:
            yield Firing(
                since=moment.at,
                until=case.first(moment, lambda later: not _undefended(later.deal)),
                evidence=(moment.event.version,),
                trigger=moment.event.version,
                subject=moment.fact.id,
                needs=(Kind.NEEDS,),
                wording=missing,
            )


def _undefended(deal: Deal) -> str:
    """What is missing to defend a price with; empty: nothing."""
    match bool(deal.needs.values), has_explicit_need(deal):
        case False, False:
            return "neither"
        case False, True:
            return "no-value"
        case True, False:
            return "no-need"
        case _:
            return ""


RULES = (
    Rule(
        "solution-too-early",
        solution_too_early,
        Weight.MISTAKE,
        reads=(ContactMade, ProposalSubmitted, *_OF_NEEDS, *_OF_CRITERIA),
    ),
    Rule(
        "blind-proposal",
        blind_proposal,
        Weight.BLUNDER,
        reads=(ProposalSubmitted, *_OF_NEEDS, *_OF_CRITERIA),
    ),
    Rule(
        "proposal-without-criteria",
        proposal_without_criteria,
        Weight.NOTE,
        reads=(ProposalSubmitted, *_OF_NEEDS, *_OF_CRITERIA),
    ),
    Rule(
        "column-fodder",
        column_fodder,
        Weight.MISTAKE,
        reads=(ProposalSubmitted, OurPartObserved, StrategyChosen),
    ),
    Rule(
        "price-before-value",
        price_before_value,
        Weight.MISTAKE,
        reads=(NegotiationOpened, ValueConfirmed, *_OF_NEEDS),
    ),
)
"""The rules of this family."""
