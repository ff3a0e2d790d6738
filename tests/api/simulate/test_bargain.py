"""The ways of a negotiation: where each side begins, how its steps change, where they meet."""

from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest

from api.simulate.bargain import ISSUES, Stance, Terms, stances
from domain.negotiation.facts import NegotiationOpened, Term
from domain.negotiation.orders import can_take, gain
from domain.values import Money, Party

PRICE = Money.parse("184600", "EUR")


def made(skilled: bool, ends_well: bool = True, seed: int = 1) -> tuple[Stance, ...]:
    terms = Terms(PRICE, 0.05, 3, skilled, ends_well)
    return stances(terms, ISSUES, Random(seed))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("skilled", [True, False])
def test_every_value_is_one_of_its_issue_and_every_step_gives_something(
    seed: int, skilled: bool
) -> None:
    for stance in made(skilled, seed=seed):
        ways = ((Party.US, stance.ours), (Party.CUSTOMER, stance.theirs))
        for side, way in ways:
            assert all(can_take(stance.issue, value) for value in way)
            steps = [gain(stance.issue, side, one, other) for one, other in pairwise(way)]
            assert all(step is not None and step < 0 for step in steps)


@pytest.mark.parametrize("seed", range(5))
def test_the_skilled_give_in_by_smaller_steps_and_the_others_by_larger(seed: int) -> None:
    for skilled in (True, False):
        price = made(skilled, seed=seed)[0]
        steps = [Decimal(one) - Decimal(other) for one, other in pairwise(price.ours)]
        assert steps == sorted(steps, reverse=skilled)
        assert len(set(steps)) == len(steps) == 3


def test_sides_that_do_not_meet_stop_half_way() -> None:
    met, apart = made(True)[0], made(True, ends_well=False)[0]
    assert Decimal(met.theirs[-1]) >= Decimal(met.meeting) * Decimal("0.999")
    assert Decimal(apart.theirs[-1]) < Decimal(apart.meeting) * Decimal("0.99")


def test_an_opening_can_be_made_of_them() -> None:
    whole = made(False)
    opened = NegotiationOpened(
        id="talks-1",
        issues=tuple(stance.issue for stance in whole),
        walk_aways=tuple(Term(stance.issue.id, stance.walk_away) for stance in whole),
    )
    assert [issue.id for issue in opened.issues] == list(ISSUES)
