"""Whether and how we pursue a deal: qualification, assessment, plan, strategy, team."""

from api.simulate.material import market
from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.lifecycle.commands import (
    AssessOpportunity,
    AssignTeamMember,
    ChooseStrategy,
    QualifyLead,
    ReleaseTeamMember,
    SetWinPlan,
)
from domain.lifecycle.facts import (
    BantStatus,
    Grade,
    LostOutcome,
    PursuitDecision,
    QualificationLevel,
    QualifiedBy,
    Strategy,
    SuccessFactor,
    Temperature,
)
from domain.process import BuyingPhase

PHASES = list(BuyingPhase)


def reached(phase: BuyingPhase, least: BuyingPhase) -> bool:
    """Whether a phase is `least` or a later one."""
    return PHASES.index(phase) >= PHASES.index(least)


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """What belongs to this stay, as far as this owner does it."""
    life, habits = plot.deal.life, plot.owner.habits
    planned: list[Cue] = []
    if chapter.phase in _QUALIFYING and plot.chance(0.3 + 0.6 * habits.discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.5)), qualify))
    missing_assessment = life.assessment is None
    if missing_assessment and reached(chapter.phase, BuyingPhase.DECISION) and plot.chance(0.5):
        planned.append(Cue(chapter.moment(0.15), assess))
    if reached(chapter.phase, BuyingPhase.DECISION) and plot.chance(
        0.25 if life.strategy else 0.25 + 0.5 * habits.discipline
    ):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.3, 0.8)), choose_strategy))
    if reached(chapter.phase, BuyingPhase.MEASUREMENT) and plot.chance(0.5):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.6)), widen_team))
    if plot.chance(0.03):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.3, 0.9)), swap_engineer))
    return planned


_QUALIFYING = {BuyingPhase.ACKNOWLEDGEMENT, BuyingPhase.DECISION, BuyingPhase.MEASUREMENT}


def qualify(plot: Plot) -> Entries:
    """Judge budget, authority, need and timeline, better known the later it is."""
    phase = plot.stage.decision_phase or BuyingPhase.SATISFACTION
    furthest = max(plot.process.position(v.stage) or 0 for v in plot.deal.stages.visits)
    known = furthest / len(plot.selling) * 1.2 + 0.15 * plot.health
    budget, authority, need, timeline = (_bant(known + learned) for learned in plot.bant_learned)
    confirmed = sum(s is BantStatus.CONFIRMED for s in (budget, authority, need, timeline))
    early = phase is BuyingPhase.SATISFACTION
    yield plot.typed(
        QualifyLead(
            level=QualificationLevel.LEAD if early else QualificationLevel.OPPORTUNITY,
            budget=budget,
            authority=authority,
            need=need,
            timeline=timeline,
            temperature=_temperature(plot),
            qualified_by=QualifiedBy.MARKETING if early and plot.chance(0.4) else QualifiedBy.SALES,
        )
    )
    plot.feels(0.04 * (confirmed - 2))


def _bant(known: float) -> BantStatus:
    if known > 0.65:
        return BantStatus.CONFIRMED
    return BantStatus.PARTIAL if known > 0.25 else BantStatus.UNKNOWN


def _temperature(plot: Plot) -> Temperature | None:
    if plot.health > 0.5:
        return Temperature.HOT
    return Temperature.COLD if plot.chance(0.5) else None


def assess(plot: Plot) -> Entries:
    """Say whether it is worth winning, whether we can, and whether we go for it."""
    hope = 0.5 * plot.owner.habits.optimism
    can_win = _score(3 + 0.9 * plot.health + hope + plot.rng.gauss(0, 0.6))
    worth = _score(plot.rng.gauss(3.2, 0.9))
    gives_up = plot.chapter is not None and plot.chapter.outcome is LostOutcome.WITHDRAWN
    decision = _decision(worth, can_win, gives_up)
    if worth + can_win <= 4 and decision is not PursuitDecision.NO_GO:
        plot.feels(-0.15)
    yield plot.typed(
        AssessOpportunity(
            worth_winning=worth,
            can_win=can_win,
            grade=Grade.A if worth + can_win >= 8 else Grade.B if worth + can_win >= 6 else Grade.C,
            success_factors=tuple(_factor(plot) for _ in range(plot.rng.choice((0, 1, 2, 2, 3)))),
            decision=decision,
        ),
        by=plot.manager if plot.chance(0.3) else None,
    )


def decide_to_bid(plot: Plot) -> Entries:
    """Decide to bid, with open eyes or not."""
    can_win = _score(3 + 0.9 * plot.health + plot.rng.gauss(0, 0.5))
    yield plot.typed(
        AssessOpportunity(
            worth_winning=_score(plot.rng.gauss(3.6, 0.7)),
            can_win=can_win,
            grade=Grade.A if can_win > 3 else Grade.B,
            decision=PursuitDecision.GO,
        ),
        by=plot.manager if plot.chance(0.6) else None,
    )


def decide_against(plot: Plot) -> Entries:
    """Decide to leave it to others."""
    yield plot.typed(
        AssessOpportunity(
            worth_winning=_score(plot.rng.gauss(2.6, 0.7)),
            can_win=_score(plot.rng.gauss(1.5, 0.5)),
            grade=Grade.C,
            decision=PursuitDecision.NO_GO,
        ),
        by=plot.manager if plot.chance(0.5) else None,
    )


def _score(value: float) -> int:
    return min(5, max(1, round(value)))


def _decision(worth: int, can_win: int, gives_up: bool) -> PursuitDecision:
    if gives_up:
        return PursuitDecision.NO_GO
    return PursuitDecision.GO if worth + can_win >= 6 else PursuitDecision.CONDITIONAL


def _factor(plot: Plot) -> SuccessFactor:
    have = plot.chance(0.45 + 0.15 * plot.health)
    return SuccessFactor(
        text=plot.text("factor"), have=have, can_overcome=not have and plot.chance(0.55)
    )


def set_win_plan(plot: Plot) -> Entries:
    """Write down how the deal is to be won."""
    themes = plot.rng.sample(
        ("access", "criteria", "people", "defence"), plot.rng.choice((2, 3, 3))
    )
    sentences = plot.texts([f"plan.{theme}" for theme in themes])
    plot.feels(0.08)
    yield plot.typed(SetWinPlan(" ".join(sentences)))


_WHEN_AHEAD = (Strategy.DEEPEN, Strategy.EXCHANGE_AT_THE_TOP, Strategy.INFLUENCE_CRITERIA)
_WHEN_LEVEL = (Strategy.INFLUENCE_CRITERIA, Strategy.RECAST_THE_NEED, Strategy.EXCHANGE_AT_THE_TOP)
_WHEN_BEHIND = (
    Strategy.DISRUPT_BY_SOLUTION,
    Strategy.DISRUPT_BY_PRICE,
    Strategy.RAISE_DOUBT,
)
_WHEN_HOPELESS = (Strategy.GO_ALONG, Strategy.WITHDRAW)


def _fitting(plot: Plot) -> tuple[Strategy, ...]:
    leaving = plot.chapter is not None and plot.chapter.outcome is LostOutcome.WITHDRAWN
    if leaving:
        return _WHEN_HOPELESS
    if plot.health > 0.5:
        return _WHEN_AHEAD
    behind = plot.health < -0.4 and plot.premise.contested
    return _WHEN_BEHIND if behind else _WHEN_LEVEL


def choose_strategy(plot: Plot) -> Entries:
    """Choose the line that fits where we stand, or keep the one we have."""
    fitting = _fitting(plot)
    current = plot.deal.life.strategy
    if current is not None and current.fact.strategy in fitting:
        return
    strategy = plot.rng.choice(fitting)
    reason = plot.text(f"strategy.{strategy.value}") if plot.chance(0.85) else None
    plot.feels(0.06)
    yield plot.typed(ChooseStrategy(strategy, reason))


def assign_team(plot: Plot) -> Entries:
    """Put an engineer on the deal, and a second role beside."""
    solution, sponsor = market().team["solution"], market().team["sponsor"]
    yield plot.typed(
        AssignTeamMember(plot.engineer.id, solution.role, solution.level), by=plot.manager
    )
    yield plot.typed(
        AssignTeamMember(plot.premise.team.sponsor.id, sponsor.role, sponsor.level),
        by=plot.manager,
    )
    plot.feels(0.08)


def assign_manager(plot: Plot) -> Entries:
    """The seller's manager looks after the deal."""
    yield plot.typed(AssignTeamMember(plot.manager.id, "manager"))


def widen_team(plot: Plot) -> Entries:
    """Bring in whoever will deliver."""
    delivery = market().team["delivery"]
    yield plot.typed(AssignTeamMember(plot.premise.team.delivery.id, delivery.role, delivery.level))


def swap_engineer(plot: Plot) -> Entries:
    """Another engineer takes over, if one was on the deal."""
    solution = market().team["solution"]
    if plot.engineer.id not in plot.deal.life.team_ids:
        return
    other = next(user for user in plot.premise.team.engineers if user != plot.engineer)
    yield plot.typed(ReleaseTeamMember(plot.engineer.id, solution.role), by=plot.manager)
    yield plot.typed(AssignTeamMember(other.id, solution.role, solution.level), by=plot.manager)
    plot.engineer = other
    plot.feels(-0.1)
