"""Folding competition: against whom we sell, what they did, how we stand."""

from domain.competition.facts import (
    CompetitorIdentified,
    CompetitorMoved,
    PositionAssessed,
    Rank,
)
from domain.competition.field import Field
from tests.domain.competition.asked import BETA
from tests.scenario import given, opened

GAMMA = CompetitorIdentified("gamma", "Gamma")


def test_nobody_is_known_at_first() -> None:
    field = given(opened()).deal.field
    assert field == Field()
    assert (field.position, field.competitor("beta"), field.last_move_of("beta")) == (
        None,
        None,
        None,
    )


def test_what_is_said_again_of_a_competitor_replaces() -> None:
    renamed = CompetitorIdentified("beta", "Beta", products="Drives")
    field = given(opened(), BETA, GAMMA, renamed).deal.field
    assert [event.fact for event in field.competitors] == [GAMMA, renamed]
    known = field.competitor("beta")
    assert known is not None
    assert (known.fact, known.version) == (renamed, 4)


def test_moves_are_kept_in_order() -> None:
    moves = (
        CompetitorMoved("beta", "One"),
        CompetitorMoved("gamma", "Two"),
        CompetitorMoved("beta", "Three"),
        CompetitorMoved("gamma", "Four"),
    )
    field = given(opened(), BETA, GAMMA, *moves).deal.field
    assert tuple(event.fact for event in field.moves) == moves
    last = field.last_move_of("beta")
    assert last is not None
    assert last.fact == CompetitorMoved("beta", "Three")


def test_the_latest_position_counts() -> None:
    field = given(opened(), PositionAssessed(Rank.LEADING), PositionAssessed(Rank.LEVEL)).deal.field
    assert field.position is not None
    assert (field.position.fact.rank, field.position.version) == (Rank.LEVEL, 3)
    assert len(field.positions) == 2
