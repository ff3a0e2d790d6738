"""Competition told in words, one phrase for each fact."""

from typing import get_args

import pytest

from domain.competition import Field, describe
from domain.competition.facts import (
    AnyCompetitionFact,
    CompetitorIdentified,
    CompetitorKind,
    CompetitorMoved,
    PositionAssessed,
    Rank,
)
from tests.domain.competition.asked import BETA
from tests.scenario import given, opened

BEFORE = given(opened(), BETA, CompetitorIdentified("gamma", "Gamma")).deal.field

TOLD: list[tuple[AnyCompetitionFact, str]] = [
    (CompetitorIdentified("delta", "Delta"), "competitor Delta"),
    (
        CompetitorIdentified("own", "Workshop", CompetitorKind.IN_HOUSE, supporters=("wang", "li")),
        "competitor Workshop (the customer's own people), backed by wang, li",
    ),
    (
        CompetitorIdentified("none", "Wait", CompetitorKind.DOING_NOTHING),
        "competitor Wait (leaving it as it is)",
    ),
    (CompetitorIdentified("beta", "Beta"), "more known of competitor Beta"),
    (CompetitorMoved("beta", "Cut its price"), "Beta Drives moved: Cut its price"),
    (
        CompetitorMoved("beta", "Cut its price", "Showed the value", "wang"),
        "Beta Drives moved: Cut its price (told by wang); our counter: Showed the value",
    ),
    (CompetitorMoved("delta", "Came late"), "delta moved: Came late"),
    (PositionAssessed(Rank.UNKNOWN), "our position: unknown"),
    (
        PositionAssessed(Rank.LEADING, "Scored first", ("beta", "gamma", "delta")),
        "our position: leading against Beta Drives, Gamma, delta: Scored first",
    ),
]


@pytest.mark.parametrize(("fact", "words"), TOLD)
def test_each_fact_is_told(fact: AnyCompetitionFact, words: str) -> None:
    assert describe(fact, BEFORE) == words


def test_every_fact_is_tried() -> None:
    assert {type(fact) for fact, _ in TOLD} == set(get_args(AnyCompetitionFact))


def test_a_competitor_is_new_once() -> None:
    assert describe(BETA, Field()) == "competitor Beta Drives"
