"""The made-up deals: exact in number, the same every time, sound, and of every kind of fact."""

from domain.deal import replay, violations
from domain.history import in_fold_order
from domain.lifecycle import Status
from tests.benchmarks.portfolio import PROCESSES, chunks, deals_of, portfolio
from tests.benchmarks.stock import MIRRORED


def test_a_portfolio_has_as_many_events_as_asked_for() -> None:
    assert [sum(len(deal.drafts) for deal in portfolio(size)) for size in (1, 7, 500)] == [
        1,
        7,
        500,
    ]


def test_the_same_numbers_give_the_same_deals() -> None:
    assert portfolio(300) == portfolio(300)
    assert portfolio(300)[0] != portfolio(300, seed=9)[0]


def test_a_smaller_portfolio_is_the_beginning_of_a_larger_one() -> None:
    smaller, larger = portfolio(300), portfolio(3_000)
    assert smaller[:-1] == larger[: len(smaller) - 1]


def test_every_history_obeys_the_structural_rules_and_is_in_order() -> None:
    for deal in [*portfolio(1_000), *deals_of(25, 5), *deals_of(1_000, 1)]:
        assert violations(deal.events, PROCESSES) == []
        assert in_fold_order(deal.events) == deal.events


def test_every_kind_of_fact_occurs_and_deals_are_won_lost_and_open() -> None:
    deals = portfolio(2_000)
    assert {type(draft.fact) for deal in deals for draft in deal.drafts} == MIRRORED
    statuses = {replay(deal.events).life.status for deal in deals}
    assert statuses == {Status.OPEN, Status.WON, Status.LOST}


def test_deals_of_one_length_are_open() -> None:
    deals = deals_of(25, 6)
    assert [len(deal.drafts) for deal in deals] == [25] * 6
    assert {replay(deal.events).life.status for deal in deals} == {Status.OPEN}


def test_chunks_hold_whole_deals_and_lose_none() -> None:
    deals = portfolio(400)
    groups = list(chunks(deals, 100))
    assert [deal for group in groups for deal in group] == deals
    assert all(sum(len(deal.drafts) for deal in group) >= 100 for group in groups[:-1])
    assert all(sum(len(deal.drafts) for deal in group[:-1]) < 100 for group in groups)
