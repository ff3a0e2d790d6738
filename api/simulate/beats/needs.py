"""What the customer needs, asks for and values, and what we are told."""

from functools import partial

from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.needs.commands import (
    AcceptPositioning,
    CheckFact,
    ConfirmValue,
    DevelopNeed,
    RecordFact,
    StateRequirement,
    UncoverNeed,
)
from domain.needs.facts import (
    CheckResult,
    NeedDimension,
    NeedKind,
    Positioning,
    RequirementKind,
    RequirementResponse,
    Topic,
)
from domain.process import BuyingPhase
from domain.values import Money

_EARLY = (BuyingPhase.SATISFACTION, BuyingPhase.ACKNOWLEDGEMENT, BuyingPhase.DECISION)
_TOPICS: dict[BuyingPhase, tuple[Topic, ...]] = {
    BuyingPhase.SATISFACTION: (Topic.PROJECT, Topic.TIMELINE),
    BuyingPhase.ACKNOWLEDGEMENT: (Topic.BUDGET, Topic.SCALE, Topic.COMPETITION),
    BuyingPhase.DECISION: (Topic.DECISION_CHAIN, Topic.TIMELINE, Topic.BUDGET),
    BuyingPhase.CRITERIA: (Topic.CRITERIA, Topic.COMPETITION, Topic.TECHNICAL),
    BuyingPhase.MEASUREMENT: (Topic.APPROVAL, Topic.CRITERIA, Topic.COMPETITION),
    BuyingPhase.INVESTIGATION: (Topic.COMPETITION, Topic.APPROVAL),
    BuyingPhase.SELECTION: (Topic.APPROVAL, Topic.TIMELINE),
}
_COMPARING = (BuyingPhase.MEASUREMENT, BuyingPhase.INVESTIGATION)
_ASKED = (RequirementKind.DELIVERY, RequirementKind.SERVICE, RequirementKind.COMPLIANCE)


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """What is learned beside the gate, and what becomes of the need."""
    discipline = plot.owner.habits.discipline
    planned: list[Cue] = []
    if chapter.phase in _TOPICS and plot.chance(0.25 + 0.35 * discipline):
        heard = partial(hear, topic=plot.rng.choice(_TOPICS[chapter.phase]))
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.1, 0.9)), heard))
    if chapter.phase in _EARLY[1:] and plot.chance(0.35 + 0.6 * discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.35, 0.85)), develop))
    if chapter.phase in _EARLY[1:] and plot.chance(0.2 + 0.3 * discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.3, 0.9)), uncover_another))
    if chapter.phase in (BuyingPhase.CRITERIA, BuyingPhase.MEASUREMENT) and plot.chance(0.5):
        kind = plot.rng.choice(_ASKED)
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.9)), partial(require, kind=kind)))
    if chapter.phase in _COMPARING and plot.chance(0.1 + 0.25 * discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.4, 0.9)), be_placed))
    if chapter.phase is BuyingPhase.MEASUREMENT and plot.chance(0.5 * discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.5, 0.9)), confirm_value))
    return planned


# Needs.


def uncover(plot: Plot) -> Entries:
    """A problem comes to light; the careful ask what it leads to."""
    careful = plot.chance(0.2 + 0.7 * plot.owner.habits.discipline)
    yield plot.happened(
        UncoverNeed(
            id=plot.name("need"),
            statement=plot.label("need.statement"),
            kind=NeedKind.EXPLICIT if plot.chance(0.12) else NeedKind.IMPLIED,
            whose=plot.met("mid") or plot.met("user"),
            cause=plot.label("need.cause") if careful and plot.chance(0.6) else None,
            consequence=plot.label("need.consequence") if careful else None,
            cost=_cost(plot) if careful and plot.chance(0.4) else None,
            solvable_by_us=not plot.chance(0.04) if careful else None,
            their_rank=plot.rng.choice((1, 1, 2, 3)) if plot.chance(0.4) else None,
        )
    )


def uncover_another(plot: Plot) -> Entries:
    """A second need: another problem, or what somebody wants for themselves."""
    if not plot.deal.needs.needs or len(plot.deal.needs.needs) > 2:
        return
    personal = plot.chance(0.35)
    yield plot.happened(
        UncoverNeed(
            id=plot.name("need"),
            statement=plot.label("need.personal" if personal else "need.second"),
            dimension=NeedDimension.PERSONAL if personal else NeedDimension.BUSINESS,
            whose=plot.met("mid" if personal else "user"),
            solvable_by_us=True if plot.chance(0.5) else None,
            their_rank=plot.rng.choice((2, 3, 4)) if plot.chance(0.5) else None,
        )
    )
    plot.feels(0.03)


def develop(plot: Plot) -> Entries:
    """They say that they want it solved."""
    implied = [need for need in plot.deal.needs.needs if not need.explicit]
    if not implied:
        return
    plot.feels(0.03)
    careful = plot.chance(plot.owner.habits.discipline)
    yield plot.happened(
        DevelopNeed(
            need=implied[0].id,
            statement=plot.label("need.explicit"),
            kpi=plot.label("need.kpi") if careful else None,
            consequence=plot.label("need.consequence") if careful else None,
            cost=_cost(plot) if careful and plot.chance(0.5) else None,
            contact=plot.contact,
        )
    )


def make_explicit(plot: Plot) -> Entries:
    """Have an explicit need, whatever there is so far."""
    if plot.fate is not None and any(need.explicit for need in plot.deal.needs.needs):
        return
    if not plot.deal.needs.needs:
        yield from uncover(plot)
    yield from develop(plot)


def _cost(plot: Plot) -> Money:
    return plot.money(float(plot.premise.amount.amount) * plot.rng.uniform(0.25, 1.1))


# What they ask for.


def require(plot: Plot, kind: RequirementKind) -> Entries:
    """They ask for something; the careful ask back what it is for."""
    traced = plot.chance(0.25 + 0.65 * plot.owner.habits.discipline)
    needs = plot.deal.needs.needs
    teller = "eng" if kind is RequirementKind.TECHNICAL else "mid"
    yield plot.happened(
        StateRequirement(
            id=plot.name("requirement"),
            text=plot.label(f"requirement.{kind.value}"),
            kind=kind,
            by=plot.met(teller) or plot.met("user"),
            need=needs[0].id if traced and needs and plot.chance(0.6) else None,
            why=plot.label("requirement.why") if traced else None,
            timing=plot.label("requirement.timing") if plot.chance(0.25) else None,
            response=plot.rng.choice(_RESPONSES) if plot.chance(0.8) else None,
        )
    )


_RESPONSES = (
    RequirementResponse.ACCEPTED,
    RequirementResponse.ACCEPTED,
    RequirementResponse.ACCEPTED,
    RequirementResponse.OPEN,
    RequirementResponse.ALTERNATIVE,
)


def miss_requirement(plot: Plot) -> Entries:
    """What they ask for we cannot do."""
    plot.feels(-0.15)
    yield plot.happened(
        StateRequirement(
            id=plot.name("requirement"),
            text=plot.label("requirement.missed"),
            kind=RequirementKind.TECHNICAL,
            by=plot.met("eng") or plot.met("mid"),
            why=plot.label("requirement.why") if plot.chance(0.6) else None,
            response=plot.rng.choice(
                (RequirementResponse.DECLINED, RequirementResponse.ALTERNATIVE)
            ),
        )
    )


# What they value.


def confirm_value(plot: Plot) -> Entries:
    """One of them says what it is worth to them."""
    teller = next((key for key in ("mid", "fin", "dm", "user") if plot.met(key)), None)
    if teller is None or plot.health < -1.2:
        return
    by = plot.met("dm") if plot.met("dm") and plot.chance(0.25) else plot.met(teller)
    assert by is not None
    needs = plot.deal.needs.needs
    plot.feels(0.03)
    yield plot.happened(
        ConfirmValue(
            id=plot.name("value"),
            benefit=plot.label("value.second" if plot.deal.needs.values else "value.first"),
            by=by,
            amount=_cost(plot) if plot.chance(0.6) else None,
            need=needs[0].id if needs and plot.chance(0.7) else None,
            contact=plot.contact,
        )
    )


def be_placed(plot: Plot) -> Entries:
    """Hear for what they take us: the better the deal stands, the more it is about value."""
    worth = plot.health + plot.rng.gauss(0, 0.5)
    placed = Positioning.BEST_FOR_THE_MONEY
    if worth > 0.7:
        placed = Positioning.HIGH_VALUE
    elif worth < -0.3:
        placed = Positioning.CHEAP_AND_GOOD
    by = plot.met("mid") if plot.chance(0.6) else plot.met("dm")
    yield plot.happened(AcceptPositioning(placed, by))


# What we are told.


def hear(plot: Plot, topic: Topic) -> Entries:
    """Be told something, and ask somebody else about it."""
    known = plot.met_people
    tellers = [key for key in known if key != "fin"]
    teller = plot.rng.choice(tellers) if tellers else None
    yield from _record(plot, topic, plot.met(teller) if teller else None)
    if plot.chance(0.1 + 0.55 * plot.owner.habits.discipline):
        plot.scene(plot.desk + plot.days(1, 6))
        yield from check(plot)


def _record(plot: Plot, topic: Topic, told_by: str | None) -> Entries:
    source = None if told_by else plot.premise.facts["source"].en
    yield plot.happened(
        RecordFact(
            id=plot.name("fact"),
            topic=topic,
            text=plot.label(f"fact.{topic.value}"),
            told_by=told_by,
            source=source,
            contact=plot.contact if told_by else None,
        )
    )


def tell(plot: Plot, topic: Topic) -> Entries:
    """Record what the scene's contact says on a topic."""
    yield from _record(plot, topic, plot.met("mid") or plot.met("user"))


def check(plot: Plot) -> Entries:
    """Ask a second source about what was told last."""
    told = [one for one in plot.deal.needs.information if not one.checks]
    if not told:
        return
    last = told[-1]
    first = last.recorded.fact
    others = [
        who
        for key in plot.known_people
        if (who := plot.met(key)) is not None and who != first.told_by
    ]
    outside = first.told_by is not None and (not others or plot.chance(0.4))
    contradicts = plot.chance(0.12)
    if not outside and not others:
        return
    yield plot.happened(
        CheckFact(
            fact=last.id,
            result=CheckResult.CONTRADICTS if contradicts else CheckResult.CONFIRMS,
            told_by=None if outside else plot.rng.choice(others),
            source=plot.premise.facts["source"].en if outside else None,
            note=plot.text("check.contradicts" if contradicts else "check.confirms")
            if plot.chance(0.7)
            else None,
        )
    )


def verify_project(plot: Plot) -> Entries:
    """Have the story of the project from two sources that say the same."""
    told = [one for one in plot.deal.needs.information if not one.checks]
    if not told:
        yield from _record(plot, Topic.PROJECT, plot.met("user") or plot.met("mid"))
    information = plot.deal.needs.information[-1]
    first = information.recorded.fact
    if first.told_by is None:
        return
    yield plot.happened(
        CheckFact(
            fact=information.id,
            result=CheckResult.CONFIRMS,
            source=plot.premise.facts["source"].en,
            note=plot.text("attest.verified-by-second-source"),
        )
    )
