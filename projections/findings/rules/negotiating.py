"""How we bargained: what we gave and for what, past which lines we went, and under which law.

What is said of single concessions stands in `conceding`, of tenders in `tendering`.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import TypeAlias

from domain.buying.facts import BidOpened
from domain.deal import Deal
from domain.lifecycle.facts import OwnerChanged, TeamMemberAssigned, TeamMemberReleased
from domain.negotiation.facts import (
    ApprovalGranted,
    ApprovalRefused,
    ConcessionMade,
    ConditionFulfilled,
    Issue,
    NegotiationConcluded,
    NegotiationOpened,
    OfferAnswered,
    OfferMade,
    TermAgreed,
    TermReopened,
    WalkAwayRevised,
)
from domain.negotiation.figures import Crossing, authority_breaches, steps_down
from domain.negotiation.marks import walk_away_breaches
from domain.negotiation.orders import gain
from domain.negotiation.positions import (
    IssueState,
    Negotiations,
    Stand,
    WalkAway,
)
from domain.negotiation.positions import Moment as Place
from domain.people.facts import StakeholderIdentified, StakeholderRevised, SubjectErased
from domain.stages.facts import ForecastRevised
from domain.values import Party
from projections.findings.case import Case
from projections.findings.finding import Firing, Weight
from projections.findings.rule import Rule
from projections.findings.rules.conceding import (
    Holds,
    Key,
    concluded,
    firing,
    growing_concession,
    moved,
    new,
    state_of,
    unilateral_concession,
    valued,
    wrong_recipient,
)
from projections.findings.rules.tendering import changed_after_award, negotiated_before_award
from projections.negotiation import authority_on


def walk_away_breached(case: Case) -> Iterator[Firing]:
    """We went past our walk-away, by an offer or by accepting one; with leave or without.

    It ends once we stand at it or better again, or the negotiation is over.
    """

    def crossings(negotiations: Negotiations, _: Deal) -> Mapping[Key, _Breach]:
        return {
            (one.version, one.issue): (state, floor, one)
            for negotiation in negotiations.opened
            for one in walk_away_breaches(negotiation)
            if (state := negotiation.issue(one.issue)) is not None
            and (floor := _floor(state, (one.at, one.version))) is not None
        }

    for moment, (state, floor, crossing) in new(case, crossings):
        leave = () if crossing.approval is None else (crossing.approval,)
        yield from firing(
            moment,
            mended=_inside(crossing.offer, crossing.issue, crossing.version, floor.value),
            over=partial(concluded, crossing.offer),
            subject=crossing.issue,
            evidence=(floor.version, *leave, crossing.version),
            told={
                "issue": crossing.issue,
                "value": valued(state.issue, crossing.value),
                "floor": valued(state.issue, floor.value),
            },
            wording="approved" if leave else "alone",
        )


_Breach: TypeAlias = tuple[IssueState, WalkAway, Crossing]


def _floor(state: IssueState, place: Place) -> WalkAway | None:
    """The walk-away that held then."""
    held = [one for one in state.walk_aways if _mark(one) <= place]
    return held[-1] if held else None


def floor_moved(case: Case) -> Iterator[Firing]:
    """The walk-away was worsened, and within so many hours we went past the old one.

    By an offer or by accepting one. It ends once we stand at the old one or better again, or the
    negotiation is over.
    """
    window = timedelta(hours=case.settings.floor_hours)

    def steps(negotiations: Negotiations, _: Deal) -> Mapping[Key, _Moved]:
        return {
            (stand.version, state.issue.id): (state.issue, *worsened[0], stand)
            for negotiation in negotiations.opened
            for state, stand in steps_down(negotiation)
            if (worsened := _worsened(state, stand, window))
        }

    for moment, (issue, old, revised, stand) in new(case, steps):
        after = stand.at - revised.since
        yield from firing(
            moment,
            mended=_inside(stand.offer, issue.id, stand.version, old.value),
            over=partial(concluded, stand.offer),
            subject=issue.id,
            evidence=(old.version, revised.version, stand.version),
            told={
                **moved(issue, old.value, revised.value),
                "value": valued(issue, stand.value),
                "hours": int(after / timedelta(hours=1)),
                "minutes": int(after / timedelta(minutes=1)),
            },
            wording=_how_soon(after),
        )


def _how_soon(after: timedelta) -> str:
    if after < timedelta(minutes=2):
        return "at-once"
    return "minutes" if after < timedelta(hours=2) else "hours"


_Moved: TypeAlias = tuple[Issue, WalkAway, WalkAway, Stand]


def _worsened(
    state: IssueState, stand: Stand, window: timedelta
) -> list[tuple[WalkAway, WalkAway]]:
    """The walk-aways given up shortly before we went past them, each with the one that followed."""
    return [
        (old, revised)
        for old, revised in pairwise(state.walk_aways)
        if _mark(revised) <= stand.moment
        and stand.at - revised.since <= window
        and _is_worse(state.issue, old.value, revised.value)
        and _is_worse(state.issue, old.value, stand.value)
    ]


def _mark(walk_away: WalkAway) -> Place:
    return (walk_away.since, walk_away.version)


def _is_worse(issue: Issue, than: str, value: str) -> bool:
    gained = gain(issue, Party.US, than, value)
    return gained is not None and gained < 0


def _inside(offer: str, issue: str, version: int, line: str) -> Holds:
    """Tells whether we stand at a line or better, or never went where that event says we did."""

    def inside(deal: Deal) -> bool:
        state = state_of(deal, offer, issue)
        if state is None or not any(one.version == version for one in state.our_stands):
            return True
        return not _is_worse(state.issue, line, state.our_stands[-1].value)

    return inside


def authority_exceeded(case: Case) -> Iterator[Firing]:
    """Somebody went further than they may go alone, without an approval of that value.

    By the limits and roles of today. It ends once the value is approved after all, or we stand
    better than at it, or the negotiation is over.
    """

    def crossings(
        negotiations: Negotiations, deal: Deal
    ) -> Mapping[Key, tuple[IssueState, Crossing]]:
        covers = authority_on(deal, case.organisation)
        return {
            (one.version, one.issue): (state, one)
            for negotiation in negotiations.opened
            for one in authority_breaches(negotiation, covers)
            if (state := negotiation.issue(one.issue)) is not None
        }

    for moment, (state, crossing) in new(case, crossings):
        yield from firing(
            moment,
            mended=_allowed(crossing),
            over=partial(concluded, crossing.offer),
            subject=crossing.issue,
            evidence=(crossing.version,),
            told={"issue": crossing.issue, "value": valued(state.issue, crossing.value)},
        )


def _allowed(crossing: Crossing) -> Holds:
    """Tells whether the value is approved, or we stand better than at it, or never stood there."""

    def allowed(deal: Deal) -> bool:
        state = state_of(deal, crossing.offer, crossing.issue)
        if state is None or state.granted(crossing.value) is not None:
            return True
        stands = state.our_stands
        if not any(one.version == crossing.version for one in stands):
            return True
        return _is_worse(state.issue, stands[-1].value, crossing.value)

    return allowed


_TALKS = (
    NegotiationOpened,
    OfferMade,
    OfferAnswered,
    ConcessionMade,
    ConditionFulfilled,
    TermAgreed,
    TermReopened,
    NegotiationConcluded,
)
_APPROVALS = (ApprovalGranted, ApprovalRefused)
_TEAM = (OwnerChanged, TeamMemberAssigned, TeamMemberReleased)

RULES = (
    Rule(
        "unilateral-concession",
        unilateral_concession,
        Weight.MISTAKE,
        reads=(*_TALKS, BidOpened, ForecastRevised),
    ),
    Rule("growing-concession", growing_concession, Weight.MISTAKE, reads=_TALKS),
    Rule(
        "wrong-recipient",
        wrong_recipient,
        Weight.MISTAKE,
        reads=(*_TALKS, StakeholderIdentified, StakeholderRevised, SubjectErased),
    ),
    Rule(
        "negotiated-before-award",
        negotiated_before_award,
        Weight.BLUNDER,
        reads=(*_TALKS, BidOpened),
    ),
    Rule("changed-after-award", changed_after_award, Weight.MISTAKE, reads=_TALKS),
    Rule(
        "floor-moved",
        floor_moved,
        Weight.MISTAKE,
        reads=(*_TALKS, WalkAwayRevised),
        secret=True,
    ),
    Rule(
        "walk-away-breached",
        walk_away_breached,
        Weight.BLUNDER,
        reads=(*_TALKS, WalkAwayRevised, *_APPROVALS),
        secret=True,
    ),
    Rule(
        "authority-exceeded",
        authority_exceeded,
        Weight.MISTAKE,
        reads=(*_TALKS, *_APPROVALS, *_TEAM),
    ),
)
"""The rules of this family."""
