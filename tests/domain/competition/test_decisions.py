"""Deciding on competition: what acts, what is refused, what changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from domain.competition.commands import (
    AnyCompetitionCommand,
    AssessPosition,
    IdentifyCompetitor,
    RecordCompetitorMove,
)
from domain.competition.facts import (
    AnyCompetitionFact,
    CompetitorIdentified,
    CompetitorKind,
    CompetitorMoved,
    PositionAssessed,
    Rank,
)
from domain.deal import admissible
from domain.lifecycle.facts import LostOutcome, OpportunityLost, OpportunityWon
from domain.people.facts import StakeholderIdentified
from domain.refusals import DealClosed, IdTaken, Refusal, SamePerson, UnknownReference
from tests.domain.competition.asked import AFTER_ANY_OUTCOME, AFTER_WINNING, ASKED, BETA
from tests.scenario import BOOK, day, given, on, opened

if TYPE_CHECKING:
    from domain.deal import DealCommand, DealFact

WANG = StakeholderIdentified("wang", "Wang Fang")
LI = StakeholderIdentified("li", "Li Na")
GAMMA = CompetitorIdentified("gamma", "Gamma")
CUT = CompetitorMoved("beta", "Cut its price by 5 %")
LEVEL = PositionAssessed(Rank.LEVEL)

ACTS: list[tuple[tuple[DealFact, ...], AnyCompetitionCommand, AnyCompetitionFact]] = [
    ((), IdentifyCompetitor("beta", "Beta"), CompetitorIdentified("beta", "Beta")),
    (
        (WANG, LI),
        IdentifyCompetitor(
            "own",
            "Their workshop",
            CompetitorKind.IN_HOUSE,
            "Forty people",
            "Small drives",
            "At cost",
            "None",
            "Slow",
            ("wang", "li"),
        ),
        CompetitorIdentified(
            "own",
            "Their workshop",
            CompetitorKind.IN_HOUSE,
            "Forty people",
            "Small drives",
            "At cost",
            "None",
            "Slow",
            ("wang", "li"),
        ),
    ),
    (
        (BETA,),
        IdentifyCompetitor("beta", "Beta Drives", background="Was bought by Gamma"),
        CompetitorIdentified("beta", "Beta Drives", background="Was bought by Gamma"),
    ),
    (
        (WANG, BETA),
        RecordCompetitorMove("beta", "Showed its plant", "Showed ours", "wang"),
        CompetitorMoved("beta", "Showed its plant", "Showed ours", "wang"),
    ),
    (
        (BETA, GAMMA, CUT),
        RecordCompetitorMove("gamma", "Cut its price by 5 %"),
        CompetitorMoved("gamma", "Cut its price by 5 %"),
    ),
    (
        (BETA, CUT, CompetitorMoved("beta", "Took it back")),
        RecordCompetitorMove("beta", "Cut its price by 5 %"),
        CUT,
    ),
    ((), AssessPosition(Rank.UNKNOWN), PositionAssessed(Rank.UNKNOWN)),
    (
        (BETA, GAMMA),
        AssessPosition(Rank.LEADING, "Scored first", ("beta", "gamma")),
        PositionAssessed(Rank.LEADING, "Scored first", ("beta", "gamma")),
    ),
    ((LEVEL,), AssessPosition(Rank.LAGGING), PositionAssessed(Rank.LAGGING)),
    ((LEVEL, PositionAssessed(Rank.LAGGING)), AssessPosition(Rank.LEVEL), LEVEL),
]

STAYS_QUIET: list[tuple[tuple[DealFact, ...], AnyCompetitionCommand]] = [
    ((BETA,), IdentifyCompetitor("beta", "Beta Drives")),
    ((BETA, GAMMA), IdentifyCompetitor("beta", "Beta Drives")),
    ((BETA, CUT), RecordCompetitorMove("beta", "Cut its price by 5 %")),
    (
        (BETA, GAMMA, CUT, CompetitorMoved("gamma", "Showed its plant")),
        RecordCompetitorMove("beta", "Cut its price by 5 %"),
    ),
    ((LEVEL,), AssessPosition(Rank.LEVEL)),
]

REFUSES: list[tuple[tuple[DealFact, ...], AnyCompetitionCommand, type[Refusal], str]] = [
    ((), IdentifyCompetitor("us", "Us"), IdTaken, "'us' names our side"),
    (
        (),
        IdentifyCompetitor("beta", "Beta", supporters=("wang",)),
        UnknownReference,
        "no stakeholder 'wang'",
    ),
    (
        (WANG,),
        IdentifyCompetitor("beta", "Beta", supporters=("wang", "wang")),
        SamePerson,
        "'wang' stands twice among the supporters",
    ),
    ((), RecordCompetitorMove("beta", "M"), UnknownReference, "identify-competitor"),
    ((BETA,), RecordCompetitorMove("us", "M"), UnknownReference, "There are: beta."),
    (
        (BETA,),
        RecordCompetitorMove("beta", "M", told_by="wang"),
        UnknownReference,
        "no stakeholder 'wang'",
    ),
    (
        (BETA,),
        AssessPosition(Rank.LEVEL, against=("beta", "gamma")),
        UnknownReference,
        "no competitor 'gamma'",
    ),
    ((BETA,), AssessPosition(Rank.LEVEL, against=("beta", "beta")), IdTaken, "'beta' stands twice"),
]


@pytest.mark.parametrize(("facts", "command", "fact"), ACTS)
def test_acts(
    facts: tuple[DealFact, ...], command: AnyCompetitionCommand, fact: AnyCompetitionFact
) -> None:
    before = given(opened(), *facts)
    after = before.when(command).then(fact)
    assert after.deal != before.deal
    after.when(command).nothing()


@pytest.mark.parametrize(("facts", "command"), STAYS_QUIET)
def test_stays_quiet(facts: tuple[DealFact, ...], command: AnyCompetitionCommand) -> None:
    deal = given(opened(), *facts)
    deal.when(command, at=deal.last).nothing()


@pytest.mark.parametrize(("facts", "command", "refusal", "words"), REFUSES)
def test_refuses(
    facts: tuple[DealFact, ...], command: AnyCompetitionCommand, refusal: type[Refusal], words: str
) -> None:
    given(opened(), *facts).when(command).refused(refusal, words)


@pytest.mark.parametrize("table", [ACTS, STAYS_QUIET, REFUSES, ASKED])
def test_every_command_is_tried(table: list[tuple[Any, ...]]) -> None:
    assert {type(row[1]) for row in table} == set(get_args(AnyCompetitionCommand))


def test_every_fact_comes_of_a_command() -> None:
    assert {type(fact) for _, _, fact in ACTS} == set(get_args(AnyCompetitionFact))


@pytest.mark.parametrize(
    ("fact", "command"),
    [(CUT, RecordCompetitorMove("beta", CUT.move)), (LEVEL, AssessPosition(Rank.LEVEL))],
)
def test_what_is_seen_again_after_a_while_is_news(
    fact: DealFact, command: AnyCompetitionCommand
) -> None:
    deal = given(opened(), BETA, on(2, fact))
    deal.when(command, at=day(3)).nothing()
    deal.when(command, at=day(32)).then(fact)


@pytest.mark.parametrize(("facts", "command"), ASKED)
@pytest.mark.parametrize(
    ("outcome", "allowed"),
    [
        (OpportunityWon(), AFTER_WINNING),
        (OpportunityLost(LostOutcome.LOST_TO_COMPETITOR, "beta"), AFTER_ANY_OUTCOME),
    ],
)
def test_nothing_follows_an_outcome(
    outcome: DealFact, allowed: set[type], facts: tuple[DealFact, ...], command: DealCommand
) -> None:
    assert not allowed
    given(opened(), *facts, outcome).when(command).refused(DealClosed)


@pytest.mark.parametrize(
    ("fact", "refusal"),
    [
        (CompetitorIdentified("us", "Us"), IdTaken),
        (CUT, UnknownReference),
        (PositionAssessed(Rank.LEVEL, against=("beta",)), UnknownReference),
    ],
)
def test_structure_holds_for_imported_histories_too(fact: DealFact, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        admissible(fact, given(opened()).deal, BOOK)
