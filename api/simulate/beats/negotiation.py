"""Negotiations in rounds: openings, concessions, pressure, approvals, agreement or none."""

from datetime import timedelta
from functools import partial

from api.simulate.bargain import ISSUES, Stance, Talks, Terms, at, stances
from api.simulate.beats import approvals, buying, contacts, tender
from api.simulate.chronicle import Entry
from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.lifecycle.facts import LostOutcome, ReasonDriver
from domain.negotiation.commands import (
    AgreeTerm,
    AnswerOffer,
    ConcludeNegotiation,
    EstimateTheirWalkAway,
    FulfilCondition,
    MakeOffer,
    OpenNegotiation,
    ReopenTerm,
)
from domain.negotiation.facts import (
    NegotiationResult,
    OfferReply,
    Tactic,
    Term,
)
from domain.people.facts import ContactKind
from domain.process import BuyingPhase
from domain.stages.commands import ReviseForecast
from domain.stages.facts import RevisionCause
from domain.values import Money, Party

_TALKING_LOSSES = {LostOutcome.LOST_TO_COMPETITOR, LostOutcome.NO_DECISION}
_THEIR_TACTICS = (
    Tactic.RIVAL_QUOTE,
    Tactic.BUDGET_CAP,
    Tactic.DEADLINE,
    Tactic.GOOD_AND_BAD_COP,
    Tactic.HIGHER_AUTHORITY,
    Tactic.NONE,
)
_OUR_TACTICS = (
    Tactic.VALUE_DEFENCE,
    Tactic.DIMINISHING_STEPS,
    Tactic.CONDITION_FOR_CONDITION,
    Tactic.TERM_SWAP,
    Tactic.PACKAGE,
    Tactic.LIMITED_AUTHORITY,
)


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """The rounds of this stay, if they come to talk."""
    if chapter.last:
        return _final_talks(plot, chapter)
    eager = chapter.phase is BuyingPhase.INVESTIGATION
    free = not plot.deal.purchase.tender
    if eager and free and plot.chance(0.28 * (1.2 - plot.owner.habits.discipline)):
        plot.feels(-0.2)
        return _talks(plot, chapter, ("price",), 2, ends_well=chapter.goes_on and plot.chance(0.45))
    return []


def _final_talks(plot: Plot, chapter: Chapter) -> list[Cue]:
    if chapter.outcome is not None and chapter.outcome not in _TALKING_LOSSES:
        return []
    if not chapter.goes_on and chapter.outcome is None:
        return []
    names = _issues(plot)
    if not names or plot.chance(0.12):
        return []
    price_lost = chapter.cause is ReasonDriver.PRICE
    rounds = min(plot.rng.choice((2, 3, 3, 4)), max(2, round(chapter.days / 7)))
    stalls = chapter.outcome is LostOutcome.NO_DECISION and not price_lost
    ends_well = chapter.outcome is None or (stalls and plot.chance(0.3))
    planned = _talks(plot, chapter, names, rounds, ends_well=ends_well, since=0.08, until=0.6)
    if chapter.goes_on and plot.chance(0.16):
        late = ("acceptance", "penalty")[: plot.rng.choice((1, 2))]
        rest = tuple(name for name in late if name not in names)
        if rest:
            planned += _talks(plot, chapter, rest, 2, ends_well=True, since=0.64, until=0.86)
    return planned


def _issues(plot: Plot) -> tuple[str, ...]:
    """Price and one to three other issues; in a tender bound by law the price stands."""
    mode = plot.deal.purchase.mode
    bound = mode is not None and mode.fact.method.tender and bool(mode.fact.bound_by_law)
    others = plot.rng.sample(ISSUES[1:], plot.rng.choice((1, 2, 2, 3)))
    return tuple(others) if bound else ("price", *others)


def _talks(
    plot: Plot,
    chapter: Chapter,
    names: tuple[str, ...],
    rounds: int,
    *,
    ends_well: bool,
    since: float = 0.12,
    until: float = 0.85,
) -> list[Cue]:
    """The scenes of one negotiation: the opening, the rounds, the end."""
    skilled = plot.chance(min(0.95, max(0.05, 1.35 * plot.owner.habits.discipline - 0.3)))
    share = 0.012 + (0.0 if skilled else 0.02) + 0.025 * (1 - plot.owner.habits.discipline)
    discount = min(0.13, max(0.008, share + plot.rng.uniform(0, 0.03) - 0.006 * plot.health))
    begin = partial(open_talks, names=names, rounds=rounds, skilled=skilled, discount=discount)
    begin = partial(begin, ends_well=ends_well)
    moments = [since + (until - since) * index / (rounds + 1) for index in range(rounds + 2)]
    middle = [Cue(chapter.moment(share), go_on) for share in moments[1:-1]]
    first, last = Cue(chapter.moment(moments[0]), begin), Cue(chapter.moment(moments[-1]), close)
    return [first, *middle, last]


# The opening.


def open_talks(
    plot: Plot,
    names: tuple[str, ...],
    rounds: int,
    *,
    skilled: bool,
    discount: float,
    ends_well: bool,
) -> Entries:
    """Sit down, say what it is about, and name our opening."""
    if plot.chapter is not None and plot.chapter.last:
        yield from tender.have_offered(plot)
    terms = Terms(_last_price(plot), discount, rounds, skilled, ends_well)
    made = stances(terms, names, plot.rng)
    talks = Talks(plot.name("talks"), made, skilled, ends_well)
    plot.talks = talks
    counterparts = ["buyer", *(["fin"] if plot.knows("fin") and plot.chance(0.4) else [])]
    yield from contacts.hold(
        plot,
        ContactKind.NEGOTIATION,
        counterparts,
        ["talk.opening"],
        purpose=plot.text("purpose.talk"),
    )
    prepared = skilled or plot.chance(0.5)
    yield plot.happened(
        OpenNegotiation(
            id=talks.id,
            issues=tuple(stance.issue for stance in made),
            counterparts=tuple(plot.centre[key].id for key in counterparts),
            targets=tuple(Term(s.issue.id, s.target) for s in made) if prepared else (),
            walk_aways=tuple(Term(s.issue.id, s.walk_away) for s in made) if prepared else (),
        )
    )
    if prepared and plot.chance(0.5):
        stance = made[0]
        basis = plot.text("talk.estimate") if plot.chance(0.7) else None
        yield plot.typed(EstimateTheirWalkAway(stance.issue.id, _guess(plot, stance), basis))
    openings = tuple(Term(stance.issue.id, stance.ours[0]) for stance in made)
    yield from _offer(plot, talks, openings, Tactic.ANCHOR if skilled else None)


def _guess(plot: Plot, stance: Stance) -> str:
    """What we take for the worst they accept: off by some per cent where it is a price."""
    if stance.issue.id != "price":
        return at(stance.theirs, 1)
    off = plot.rng.choice((-1, 1)) * plot.rng.uniform(0.02, 0.07)
    return str(plot.money(float(stance.meeting) * (1 + off), 3).amount)


def _last_price(plot: Plot) -> Money:
    """What we ask for by now: at an earlier table, or in the proposal."""
    for negotiation in reversed(plot.deal.negotiations.opened):
        state = negotiation.issue("price")
        position = state.position(Party.US) if state is not None else None
        if position is not None:
            return Money.parse(position, plot.premise.amount.currency)
    return buying.price_of(plot)


# Rounds.


def go_on(plot: Plot) -> Entries:
    """They answer with an offer of their own, we with ours."""
    talks = plot.talks
    if talks is None or talks.step >= talks.steps:
        return
    plot.record_promptly()
    _sleep_on_it(plot)
    yield from contacts.hold(plot, ContactKind.NEGOTIATION, [_across(plot)], ["talk.round"])
    yield from _their_offer(plot, talks)
    talks.step += 1
    if not talks.ends_well and talks.step == talks.steps:
        yield from approvals.press(plot, talks)
        return
    yield from _returns(plot, talks, 0.5 if talks.skilled else 0.2)
    yield from _our_step(plot, talks)


def _sleep_on_it(plot: Plot) -> None:
    """Between an offer and what the other side makes of it lies mostly a day or more."""
    last = max(one.made.occurred_at for one in plot.deal.negotiations.opened[-1].offers)
    pause = plot.days(0.9, 1.7) if plot.chance(0.8) else plot.days(0.12, 0.25)
    if plot.moment < last + pause:
        plot.scene(last + pause, lag=timedelta(minutes=plot.rng.randint(9, 40)))


def _returns(plot: Plot, talks: Talks, share: float) -> Entries:
    """What we asked for comes, for this share of what we asked for."""
    for offer in list(talks.promised):
        if plot.chance(share):
            talks.promised.remove(offer)
            yield plot.happened(FulfilCondition(offer, plot.text("talk.came-back")))


def _across(plot: Plot) -> str:
    """With whom we talk: the purchaser, at times the decision maker, or by mistake a user."""
    if plot.talks is not None and not plot.talks.skilled and plot.chance(0.12):
        return "user"
    return "dm" if plot.knows("dm") and plot.chance(0.12) else "buyer"


def _their_offer(plot: Plot, talks: Talks) -> Entries:
    terms = tuple(
        Term(stance.issue.id, at(stance.theirs, talks.step))
        for stance in talks.stances
        if talks.step == 0 or talks.step < len(stance.theirs) - 1
    )
    if not terms:
        return
    if talks.our_offer is not None:
        reply = OfferReply.REJECTED if plot.chance(0.15) else OfferReply.COUNTERED
        yield plot.at_once(_answer(plot, talks.our_offer, reply, ours=False))
        talks.our_offer = None
    talks.their_offer = plot.name("offer")
    tactic = plot.rng.choice(_THEIR_TACTICS)
    yield plot.happened(
        MakeOffer(
            id=talks.their_offer,
            side=Party.CUSTOMER,
            terms=terms,
            made_by=plot.knows("buyer"),
            made_to=(plot.writer.id,),
            tactic=tactic if plot.chance(0.8) else None,
        )
    )


def _answer(plot: Plot, offer: str, reply: OfferReply, ours: bool) -> AnswerOffer:
    who = plot.writer.id if ours else plot.knows("buyer")
    reason = plot.text(f"answer.{reply.value}") if plot.chance(0.5) else None
    return AnswerOffer(offer, reply, answered_by=who, reason=reason)


def _our_step(plot: Plot, talks: Talks) -> Entries:
    """Come nearer by one step on every issue that still moves."""
    terms = tuple(
        Term(stance.issue.id, at(stance.ours, talks.step))
        for stance in talks.stances
        if at(stance.ours, talks.step) != at(stance.ours, talks.step - 1)
    )
    if not terms:
        return
    for term in terms:
        yield from approvals.have_approved(plot, talks, term)
    _sleep_on_it(plot)
    if talks.their_offer is not None:
        yield plot.at_once(_answer(plot, talks.their_offer, OfferReply.COUNTERED, ours=True))
        talks.their_offer = None
    asks = plot.text("talk.return") if plot.chance(0.85 if talks.skilled else 0.2) else None
    tactic = plot.rng.choice(_OUR_TACTICS) if talks.skilled else Tactic.NONE
    yield from _offer(plot, talks, terms, tactic, asks)


def _offer(
    plot: Plot,
    talks: Talks,
    terms: tuple[Term, ...],
    tactic: Tactic | None,
    asks: str | None = None,
) -> Entries:
    """Make an offer, which may ask for something in return."""
    talks.our_offer = plot.name("offer")
    who = plot.knows("buyer") or plot.knows("dm")
    if asks is not None:
        talks.promised.append(talks.our_offer)
        talks.asked = asks
    until = plot.hours.from_day((plot.moment + plot.days(10, 30)).date())
    yield plot.happened(
        MakeOffer(
            id=talks.our_offer,
            side=Party.US,
            terms=terms,
            package=len(terms) > 1 and asks is not None and plot.chance(0.5),
            valid_until=until if plot.chance(0.25) else None,
            made_by=plot.writer.id,
            made_to=(who,) if who else (),
            in_return_for=asks,
            tactic=tactic,
        )
    )


# The end.


def close(plot: Plot) -> Entries:
    """Agree term by term, or go apart."""
    talks = plot.talks
    if talks is None:
        return
    if talks.ends_well:
        while talks.step < talks.steps:
            yield from go_on(plot)
            plot.scene(plot.desk + plot.days(0.5, 2), lag=timedelta(hours=1))
        yield from _agree(plot, talks)
    else:
        yield from _go_apart(plot, talks)
    plot.talks = None


def _agree(plot: Plot, talks: Talks) -> Entries:
    plot.record_promptly()
    _sleep_on_it(plot)
    yield from contacts.hold(plot, ContactKind.NEGOTIATION, ["buyer"], ["talk.closing"])
    yield from _bring_together(plot, talks)
    yield from _returns(plot, talks, 0.95 if talks.skilled else 0.5)
    for stance in talks.stances:
        yield plot.happened(AgreeTerm(stance.issue.id, stance.meeting))
    if plot.chance(0.09):
        yield from _nibble(plot, talks)
    result = NegotiationResult.AGREED
    yield plot.happened(ConcludeNegotiation(talks.id, result, plot.text("talk.agreed")))
    yield from _settle_price(plot, talks)


def _bring_together(plot: Plot, talks: Talks) -> Entries:
    """Our last offer names all terms where we stand by now, and they accept it.

    What we asked for on the way there, and did not get yet, it asks for again.
    """
    if talks.our_offer is not None:
        yield plot.happened(_answer(plot, talks.our_offer, OfferReply.REJECTED, ours=False))
    terms = tuple(Term(stance.issue.id, stance.meeting) for stance in talks.stances)
    for term in terms:
        yield from approvals.have_approved(plot, talks, term)
    tactic = Tactic.PACKAGE if talks.skilled else None
    yield from _offer(plot, talks, terms, tactic, talks.asked)
    assert talks.our_offer is not None
    yield plot.happened(_answer(plot, talks.our_offer, OfferReply.ACCEPTED, ours=False))


def _nibble(plot: Plot, talks: Talks) -> Entries:
    """After all is agreed they come back for a little more, and are held or not."""
    stance = talks.stances[-1]
    issue = stance.issue.id
    _sleep_on_it(plot)
    yield plot.happened(ReopenTerm(issue, Party.CUSTOMER, plot.text("talk.reopened")))
    asked = at(stance.theirs, max(0, len(stance.theirs) - 2))
    offer = plot.name("offer")
    yield plot.happened(
        MakeOffer(
            offer,
            Party.CUSTOMER,
            (Term(issue, asked),),
            made_by=plot.knows("buyer"),
            tactic=Tactic.NIBBLE,
        )
    )
    _sleep_on_it(plot)
    yield plot.at_once(_answer(plot, offer, OfferReply.REJECTED, ours=True))
    ours = plot.name("offer")
    yield plot.happened(
        MakeOffer(ours, Party.US, (Term(issue, stance.meeting),), made_by=plot.writer.id)
    )
    yield plot.happened(_answer(plot, ours, OfferReply.ACCEPTED, ours=False))
    yield plot.happened(AgreeTerm(issue, stance.meeting))


def _settle_price(plot: Plot, talks: Talks) -> Entries:
    price = next((s for s in talks.stances if s.issue.id == "price"), None)
    if price is None:
        return
    agreed = Money.parse(price.meeting, plot.premise.amount.currency)
    before = float(buying.price_of(plot).amount)
    percent = max(1, round(100 * (1 - float(agreed.amount) / before)))
    yield plot.happened(
        ReviseForecast(
            amount=agreed,
            cause=RevisionCause.CUSTOMER,
            reason=plot.text("forecast.negotiated", amount=agreed, percent=percent),
        )
    )
    if plot.chance(0.35):
        yield from tender.quote(plot, agreed)


def _go_apart(plot: Plot, talks: Talks) -> Entries:
    yield from contacts.hold(plot, ContactKind.NEGOTIATION, ["buyer"], ["talk.apart"])
    if talks.our_offer is not None:
        reply = plot.rng.choice((OfferReply.REJECTED, OfferReply.LAPSED))
        yield plot.happened(_answer(plot, talks.our_offer, reply, ours=False))
    result = plot.rng.choice((NegotiationResult.IMPASSE, NegotiationResult.BROKEN_OFF))
    yield plot.happened(ConcludeNegotiation(talks.id, result, plot.text(f"talk.{result.value}")))


def broken_off(plot: Plot) -> Entry | None:
    """A negotiation that is still open when the deal moves back ends without a result."""
    talks, plot.talks = plot.talks, None
    if talks is None:
        return None
    result = NegotiationResult.BROKEN_OFF
    return plot.happened(ConcludeNegotiation(talks.id, result, plot.text("talk.broken-off")))
