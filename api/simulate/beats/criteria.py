"""What the customer scores suppliers on: learned, shifting, scored."""

from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.buying.commands import (
    DropDecisionCriterion,
    ObserveCriteriaStatus,
    ScoreCriterion,
    SetDecisionCriterion,
)
from domain.buying.facts import CriteriaStatus
from domain.process import BuyingPhase
from domain.values import OURSELVES, Side

_COMPARING = (BuyingPhase.CRITERIA, BuyingPhase.MEASUREMENT, BuyingPhase.INVESTIGATION)


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """What is learned of the criteria in this stay."""
    if chapter.phase not in _COMPARING:
        return []
    if plot.deal.purchase.criteria:
        moves = plot.chance(0.3)
        return [Cue(chapter.moment(plot.rng.uniform(0.2, 0.8)), shift)] if moves else []
    if not plot.chance(0.35 + 0.6 * plot.owner.habits.discipline):
        return []
    return [Cue(chapter.moment(plot.rng.uniform(0.2, 0.6)), learn)]


_CRITERIA = ("technical", "price", "service", "references", "schedule")


def learn(plot: Plot) -> Entries:
    """Learn what they score on, how much it weighs, and whose idea it was."""
    if plot.deal.purchase.criteria:
        return
    count = plot.rng.choice((3, 3, 4))
    names = ["technical", "price", *plot.rng.sample(_CRITERIA[2:], count - 2)]
    weights = plot.rng.choice(_WEIGHTS[count])
    needs = plot.deal.needs.needs
    for name, weight in zip(names, weights, strict=True):
        technical = name == "technical"
        yield plot.happened(
            SetDecisionCriterion(
                id=name,
                text=plot.label(f"criterion.{name}"),
                weight=weight,
                mandatory=technical and plot.chance(0.3),
                set_by=_setter(plot, name),
                need=needs[0].id if technical and needs and plot.chance(0.6) else None,
            )
        )
    if plot.chance(0.7):
        yield from observe(plot)


_WEIGHTS = {
    3: ((50, 30, 20), (40, 40, 20), (45, 35, 20), (40, 30, 30)),
    4: ((40, 30, 20, 10), (35, 35, 20, 10), (40, 30, 15, 15), (30, 40, 15, 15)),
}


def _setter(plot: Plot, name: str) -> Side | None:
    if plot.chance(0.12):
        return None
    if name == "price":
        return Side.CUSTOMER
    if plot.chance(0.35 + 0.25 * plot.health):
        return Side.US
    theirs = plot.premise.contested and plot.chance(0.45 - 0.3 * plot.health)
    return Side.COMPETITOR if theirs else Side.CUSTOMER


def observe(plot: Plot) -> Entries:
    """Say whose the criteria are."""
    setters = [one.set.fact.set_by for one in plot.deal.purchase.criteria]
    with_them = Side.COMPETITOR in setters and bool(plot.rivals)
    status = CriteriaStatus.THEIR_OWN
    if not plot.deal.purchase.criteria:
        status = CriteriaStatus.FORMING
    elif with_them and plot.health < 0.4:
        status = CriteriaStatus.WITH_COMPETITOR
    elif Side.US in setters:
        status = CriteriaStatus.WITH_US
    rival = plot.rivals[0] if status is CriteriaStatus.WITH_COMPETITOR else None
    yield plot.happened(ObserveCriteriaStatus(status, rival, plot.met("eng") or plot.met("mid")))


def pass_to_rival(plot: Plot) -> Entries:
    """The criteria are another vendor's."""
    if not plot.rivals:
        return
    plot.feels(-0.1)
    status = CriteriaStatus.WITH_COMPETITOR
    teller = plot.met("eng") or plot.met("mid")
    yield plot.happened(ObserveCriteriaStatus(status, plot.rivals[0], teller))


def shift(plot: Plot) -> Entries:
    """A criterion falls away, or the status of all is looked at again."""
    names = [one.id for one in plot.deal.purchase.criteria if one.id not in ("technical", "price")]
    if names and plot.chance(0.2):
        yield plot.happened(
            DropDecisionCriterion(plot.rng.choice(names), plot.text("criterion.dropped"))
        )
    else:
        yield from observe(plot)


def score(plot: Plot) -> Entries:
    """Score us and the strongest competitor on their criteria."""
    yield from learn(plot)
    if not plot.rivals:
        return
    losing = plot.chapter is not None and plot.chapter.outcome is not None
    edge = 3 * plot.health + (-8 if losing else 4)
    told_by = plot.met("mid") if plot.chance(0.6) else plot.met("eng")
    for criterion in plot.deal.purchase.criteria:
        ours = 81 + edge / 2 + plot.rng.gauss(0, 3)
        theirs = 81 - edge / 2 + plot.rng.gauss(0, 3)
        for vendor, points in ((OURSELVES, ours), (plot.rivals[0], theirs)):
            yield plot.happened(
                ScoreCriterion(criterion.id, vendor, max(40, min(98, round(points))), told_by)
            )
