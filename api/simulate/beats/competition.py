"""The competitors: seen, moving, compared with."""

from functools import partial

from api.simulate.beats import people
from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.competition.commands import (
    AssessPosition,
    IdentifyCompetitor,
    RecordCompetitorMove,
)
from domain.competition.facts import CompetitorKind, Rank
from domain.process import BuyingPhase

_MOVING = list(BuyingPhase)[1:7]
DOING_NOTHING = "doing-nothing"
IN_HOUSE = "in-house"
_PARTS = ("background", "products", "price", "sales")


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """What competitors do in this stay, and how we judge where we stand."""
    discipline = plot.owner.habits.discipline
    planned: list[Cue] = []
    if chapter.phase not in _MOVING:
        return planned
    if plot.rivals and plot.chance(0.3 + 0.25 * discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.1, 0.9)), move))
    late = chapter.phase not in (BuyingPhase.ACKNOWLEDGEMENT, BuyingPhase.DECISION)
    if late and plot.rivals and plot.chance(0.2 + 0.45 * discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.4, 0.95)), compare))
    if plot.rivals and plot.chance(0.25 * discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.9)), learn_more))
    if not late and plot.chance(0.07):
        other = partial(identify_other_way, which=plot.rng.choice((IN_HOUSE, DOING_NOTHING)))
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.9)), other))
    return planned


def identify(plot: Plot, which: str = "rival") -> Entries:
    """A competitor is seen at the customer."""
    rival = plot.rival(which)
    if plot.deal.field.competitor(rival) is not None:
        return
    careful = plot.chance(0.2 + 0.6 * plot.owner.habits.discipline)
    yield plot.happened(
        IdentifyCompetitor(
            id=rival,
            name=plot.premise.facts[which].en,
            background=plot.text("competitor.background", which) if careful else None,
            customers_view=plot.text("competitor.view", which)
            if careful and plot.chance(0.5)
            else None,
        )
    )


def identify_field(plot: Plot) -> Entries:
    """Know whom the customer compares us with."""
    yield from identify(plot)
    if plot.chance(0.45 if plot.premise.tender else 0.25):
        yield from identify(plot, "other")


def identify_other_way(plot: Plot, which: str) -> Entries:
    """The competitor may be the customer's own people, or leaving it as it is."""
    kind = CompetitorKind(which)
    name = plot.label(f"name.{which}")
    yield plot.happened(
        IdentifyCompetitor(which, name, kind, background=plot.text(f"{which}.background"))
    )


def learn_more(plot: Plot) -> Entries:
    """Put together what is known of the competitor to fear."""
    if not plot.rivals:
        return
    which = "rival" if plot.rivals[0] == plot.rival("rival") else "other"
    supporters = tuple(
        who
        for key in plot.known_people
        if (who := plot.met(key)) is not None and people.attitude(plot, key).points < 0
    )
    parts = plot.texts([f"competitor.{part}" for part in _PARTS], which)
    yield plot.typed(
        IdentifyCompetitor(
            plot.rival(which),
            plot.premise.facts[which].en,
            background=parts[0],
            products=parts[1],
            terms_and_price=parts[2] if plot.chance(0.7) else None,
            sales_ability=parts[3] if plot.chance(0.7) else None,
            customers_view=plot.text("competitor.view", which) if plot.chance(0.7) else None,
            supporters=supporters,
        )
    )


def move(plot: Plot, key: str = "competitor.move") -> Entries:
    """A competitor does something, and we answer it or not."""
    if not plot.rivals:
        yield from identify(plot)
    lead = plot.rivals[0]
    if plot.chance(0.2) and len(plot.rivals) > 1:
        lead = plot.rivals[1]
    which = "rival" if lead == plot.rival("rival") else "other"
    answered = plot.chance(0.1 + 0.6 * plot.owner.habits.discipline)
    plot.feels(0.0 if answered else -0.05)
    yield plot.happened(
        RecordCompetitorMove(
            competitor=lead,
            move=plot.text(key, which),
            our_counter=plot.text("counter") if answered else None,
            told_by=plot.met(plot.rng.choice(("mid", "user", "buyer"))),
        )
    )


def compare(plot: Plot) -> Entries:
    """Say how we stand."""
    rank = standing(plot)
    hopeful = plot.chance(0.35 * plot.owner.habits.optimism) and rank is not Rank.LEADING
    if hopeful:
        rank = Rank.LEADING if rank is Rank.LEVEL else Rank.LEVEL
    yield plot.typed(
        AssessPosition(
            rank=rank,
            basis=plot.text(f"position.{rank.value}"),
            against=tuple(plot.rivals) if plot.chance(0.5) else (),
        )
    )


def standing(plot: Plot) -> Rank:
    """How we stand in truth."""
    lost = plot.chapter is not None and plot.chapter.outcome is not None
    value = plot.health - (0.8 if lost else 0.0)
    return Rank.LEADING if value > 0.55 else Rank.LAGGING if value < -0.35 else Rank.LEVEL
