"""The list of predicates: each is tried both ways, and says what would meet it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from domain.deal import COMMAND_TYPES
from domain.gates import PREDICATES
from domain.intent import command_name
from domain.process import Evidence
from tests.domain.gates import (
    test_of_buying,
    test_of_life,
    test_of_needs,
    test_of_negotiation,
    test_of_people,
)
from tests.domain.gates.judged import judged
from tests.scenario import BOOK, OPENED_AT, opened

if TYPE_CHECKING:
    from domain.process import SalesProcess

TABLES = (test_of_buying, test_of_life, test_of_needs, test_of_negotiation, test_of_people)
SHOWN = [row for table in TABLES for row in table.SHOWN]

NOTHING_TO_DO = {"concerns-have-owners", "concerns-closed", "issues-agreed", "approvals-granted"}
"""Predicates that hold where there is nothing of which they speak."""


def test_every_predicate_is_tried_both_ways() -> None:
    assert {name for name, _, versions in SHOWN if versions} == set(PREDICATES)
    assert {name for name, _, versions in SHOWN if versions is None} == set(PREDICATES)


@pytest.mark.parametrize("name", PREDICATES)
def test_on_a_fresh_deal_only_what_has_nothing_to_do_is_met(name: str) -> None:
    expected = () if name in NOTHING_TO_DO else None
    assert judged(name, opened()) == expected
    assert judged(name, at=OPENED_AT) == expected


@pytest.mark.parametrize(("name", "facts", "versions"), SHOWN)
def test_evidence_is_in_order_and_of_the_deal(
    name: str, facts: tuple[object, ...], versions: tuple[int, ...] | None
) -> None:
    del name
    shown = versions or ()
    assert list(shown) == sorted(set(shown))
    assert all(1 <= version <= len(facts) for version in shown)


@pytest.mark.parametrize("name", PREDICATES)
def test_every_predicate_names_the_commands_that_meet_it(name: str) -> None:
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)+", PREDICATES[name].satisfied_by))
    assert words & {command_name(command) for command in COMMAND_TYPES}


@pytest.mark.parametrize("process", list(BOOK), ids=lambda process: str(process.ref))
def test_every_auto_criterion_names_a_predicate(process: SalesProcess) -> None:
    criteria = [criterion for stage in process.stages for criterion in stage.gate]
    auto = [criterion for criterion in criteria if criterion.evidence is Evidence.AUTO]
    assert auto
    assert all(criterion.predicate in PREDICATES for criterion in auto)
