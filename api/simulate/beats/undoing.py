"""What a deal is lost by, and the scenes that show it before it is lost."""

from collections.abc import Callable
from functools import partial

from api.simulate.beats import (
    buying,
    competition,
    concerns,
    contacts,
    criteria,
    needs,
    people,
    pursuit,
    tender,
)
from api.simulate.plot import Beat, Chapter, Cue, Entries, Plot
from domain.buying.facts import CustomerEventKind, OurPart
from domain.lifecycle.facts import LostOutcome, ReasonDriver
from domain.needs.facts import ConcernCause
from domain.people.facts import ContactKind, ContactOutcome
from domain.process import BuyingPhase
from domain.values import Side

_WEIGHTS: dict[ReasonDriver, float] = {
    ReasonDriver.RELATIONSHIP: 22,
    ReasonDriver.PROCESS: 18,
    ReasonDriver.PRODUCT: 16,
    ReasonDriver.PRICE: 16,
    ReasonDriver.RISK: 12,
    ReasonDriver.TIMING: 8,
    ReasonDriver.OTHER: 4,
}
_STANDSTILL: dict[ReasonDriver, float] = {
    ReasonDriver.TIMING: 50,
    ReasonDriver.RISK: 14,
    ReasonDriver.RELATIONSHIP: 12,
    ReasonDriver.PRICE: 8,
    ReasonDriver.OTHER: 10,
}
_CALL = ContactKind.CALL
_EARLY = (BuyingPhase.SATISFACTION, BuyingPhase.ACKNOWLEDGEMENT)


def cause_of(plot: Plot, outcome: LostOutcome) -> ReasonDriver:
    """What brings this end about; what was left undone makes its own cause likelier."""
    if outcome in (LostOutcome.NO_DECISION, LostOutcome.VOIDED):
        weights = {**_STANDSTILL}
    else:
        weights = dict(_WEIGHTS)
        weights[ReasonDriver.RELATIONSHIP] += 10 if plot.knows("dm") is None else 0
        weights[ReasonDriver.PRICE] += 0 if plot.deal.needs.values else 6
        weights[ReasonDriver.RISK] += 6 * len(plot.deal.needs.open_concerns)
        weights[ReasonDriver.PROCESS] += 14 if plot.owner.habits.discipline < 0.5 else 0
    if not plot.premise.contested:
        weights.pop(ReasonDriver.PRODUCT, None)
    return plot.rng.choices(list(weights), list(weights.values()))[0]


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """The scenes in which the end shows, for a stay in which the deal is lost."""
    if chapter.outcome is None or chapter.cause is None:
        return []
    beats = [*_BY_CAUSE[chapter.cause]] if chapter.phase not in _EARLY else []
    beats += _OF_OUTCOME[chapter.outcome](chapter)
    beats = [beat for beat in beats if plot.chance(0.88)]
    shares = sorted(plot.rng.uniform(0.15, 0.92) for _ in beats)
    if beats and beats[-1] is buying.choose_rival:
        shares[-1] = 0.98
    return [Cue(chapter.moment(share), beat) for share, beat in zip(shares, beats, strict=True)]


# By cause.


def doubt_from_above(plot: Plot) -> Entries:
    """Nobody at the top knows us, or the one who does thinks otherwise by now."""
    key = "dm" if plot.knows("dm") else "mid" if plot.knows("mid") else "user"
    if plot.knows(key) is None:
        return
    yield from contacts.hold(plot, _CALL, [key], ["end.cool"], outcome=ContactOutcome.NO_SALE)
    yield from people.turn_away(plot, key)


def engineer_turns(plot: Plot) -> Entries:
    """Their engineer prefers the other solution."""
    yield from people.identify(plot, "eng")
    yield from people.turn_away(plot, "eng")


def price_hurts(plot: Plot) -> Entries:
    """They say that we are too dear."""
    yield from concerns.raise_one(plot, ConcernCause.OVER_BUDGET)


def fear_stays(plot: Plot) -> Entries:
    """A fear comes up that nobody takes away."""
    yield from concerns.raise_one(plot, ConcernCause.RISK)


def work_late(plot: Plot) -> Entries:
    """What we promised does not come in time."""
    yield from buying.promise(plot)
    plot.scene(plot.desk + plot.days(4, 14))
    yield from buying.settle_promise(plot)


def scores_against_us(plot: Plot) -> Entries:
    """Their score sheet has somebody else on top."""
    if plot.deal.purchase.criteria:
        yield from criteria.score(plot)


def lagging(plot: Plot) -> Entries:
    """Where we stand is plain by now."""
    if plot.rivals:
        yield from competition.compare(plot)


def steps_back(plot: Plot) -> Entries:
    """They go back to an earlier question, and nobody pushed them."""
    side = None if plot.chance(0.5) else Side.CUSTOMER
    yield from buying.step_back(plot, side, plot.rng.choice((1, 1, 2)))


_BY_CAUSE: dict[ReasonDriver, tuple[Beat, ...]] = {
    ReasonDriver.PRICE: (
        partial(competition.move, key="competitor.undercuts"),
        price_hurts,
        partial(buying.our_part, part=OurPart.PRICE_LEVER),
        lagging,
    ),
    ReasonDriver.RELATIONSHIP: (people.lose_champion, doubt_from_above, lagging),
    ReasonDriver.PRODUCT: (needs.miss_requirement, engineer_turns, scores_against_us),
    ReasonDriver.PROCESS: (criteria.pass_to_rival, work_late, lagging),
    ReasonDriver.RISK: (fear_stays, doubt_from_above),
    ReasonDriver.TIMING: (
        partial(buying.customer_event, kind=CustomerEventKind.REORGANISATION),
        steps_back,
    ),
    ReasonDriver.OTHER: (partial(buying.customer_event, kind=CustomerEventKind.STRATEGY),),
}


# By outcome.


def _contested(chapter: Chapter) -> tuple[Beat, ...]:
    if chapter.phase in _EARLY:
        return (competition.identify,)
    return (competition.move, buying.choose_rival)


def _stalls(chapter: Chapter) -> tuple[Beat, ...]:
    frozen = (steps_back, buying.freeze_budget)
    nothing = partial(competition.identify_other_way, which=competition.DOING_NOTHING)
    return frozen if chapter.cause is not ReasonDriver.RISK else (steps_back, nothing)


def _unfit(chapter: Chapter) -> tuple[Beat, ...]:
    if chapter.phase in _EARLY:
        return (no_case, buying.no_budget)
    return (bid_with_gap,)


def no_case(plot: Plot) -> Entries:
    """Whoever asked has neither a project nor a mandate."""
    key = next(iter(plot.known_people), "user")
    yield from contacts.hold(plot, _CALL, [key], ["end.no-case"], outcome=ContactOutcome.NO_SALE)


def bid_with_gap(plot: Plot) -> Entries:
    """What they ask for on paper we do not have."""
    if plot.deal.purchase.tender:
        yield from tender.fail_review(plot)
    else:
        yield from needs.miss_requirement(plot)


def we_are_filler(plot: Plot) -> Entries:
    """We are there to make up the number."""
    yield from buying.our_part(plot, OurPart.PROCESS_FILLER)


def _given_up(chapter: Chapter) -> tuple[Beat, ...]:
    if chapter.phase in _EARLY:
        return (pursuit.assess,)
    return (we_are_filler, pursuit.decide_against)


def _voided(_: Chapter) -> tuple[Beat, ...]:
    return (partial(buying.customer_event, kind=CustomerEventKind.BUDGET),)


def _unknown(_: Chapter) -> tuple[Beat, ...]:
    return (steps_back,)


_OF_OUTCOME: dict[LostOutcome, Callable[[Chapter], tuple[Beat, ...]]] = {
    LostOutcome.LOST_TO_COMPETITOR: _contested,
    LostOutcome.NO_DECISION: _stalls,
    LostOutcome.WITHDRAWN: _given_up,
    LostOutcome.DISQUALIFIED: _unfit,
    LostOutcome.VOIDED: _voided,
    LostOutcome.UNKNOWN: _unknown,
}
