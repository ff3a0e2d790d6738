"""How a deal was worked has to do with how it ended, so that an analysis has something to find."""

from collections.abc import Callable

from api.simulate import SimulatedDeal
from domain.lifecycle.life import Status
from domain.stages.facts import StageAdvanced, StageRegressed
from tests.api.simulate.portfolios import SEEDS, facts, moves_of_close, people, portfolio, status

LATE = {"P4", "P5", "P6"}


def decided() -> list[tuple[int, SimulatedDeal]]:
    return [
        (seed, deal)
        for seed in SEEDS
        for deal in portfolio(seed)
        if status(deal) in (Status.WON, Status.LOST)
    ]


def came_far() -> list[SimulatedDeal]:
    """Decided deals that reached the later stages, for a fair comparison."""
    return [
        deal
        for _, deal in decided()
        if LATE & {visit.stage for visit in deal.history.deal.stages.visits}
    ]


def win_rate(deals: list[SimulatedDeal]) -> float:
    assert len(deals) >= 25
    return sum(status(deal) is Status.WON for deal in deals) / len(deals)


def lift(worse: Callable[[SimulatedDeal], bool]) -> float:
    """How much more often deals are won without than with a trait."""
    with_trait = [deal for deal in came_far() if worse(deal)]
    without = [deal for deal in came_far() if not worse(deal)]
    return win_rate(without) - win_rate(with_trait)


def overrides(deal: SimulatedDeal) -> int:
    """On the way to the later stages, which all these deals have gone."""
    moves = [move for move in facts(deal, StageAdvanced) if move.override]
    return sum(move.from_ not in LATE for move in moves)


def test_overridden_gates_cost_deals() -> None:
    assert lift(lambda deal: overrides(deal) >= 2) > 0.08


def test_falling_back_costs_deals() -> None:
    assert lift(lambda deal: bool(facts(deal, StageRegressed))) > 0.08


def test_repeated_pushes_cost_deals() -> None:
    assert lift(lambda deal: moves_of_close(deal)[0] >= 3) > 0.05


def test_disciplined_sellers_win_more() -> None:
    careful: list[SimulatedDeal] = []
    careless: list[SimulatedDeal] = []
    for seed, deal in decided():
        discipline = people(seed)[deal.drafts[0].actor].habits.discipline
        (careful if discipline > 0.65 else careless).append(deal)
    assert win_rate(careful) - win_rate(careless) > 0.06
