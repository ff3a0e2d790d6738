"""Which fields of a fact speak of people, which only the deal team may see, and doing without."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, inspect

from domain.deal import FACT_TYPES, Deal, DealEvent, DealFact, describe, evolve, violations
from domain.directory import UserRegistered
from domain.gates import PREDICATES
from domain.history import WITHHELD, Fact, in_fold_order, stored_name
from domain.needs.facts import CheckResult, FactChecked, FactRecorded, Topic
from domain.negotiation.facts import NegotiationOpened, TheirWalkAwayEstimated, WalkAwayRevised
from tests.domain.negotiation.table import PRICE
from tests.laws.deals import histories
from tests.scenario import BOOK, Scenario, opened

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

FREE_TEXT_CHARACTERS = 20_000
SECRETS = {
    "negotiation-opened": {"targets", "walk_aways"},
    "walk-away-revised": {"walk_away", "reason"},
    "their-walk-away-estimated": {"walk_away", "basis"},
    "walk-away-pressed": {"reading"},
}
NAMED = {
    "stakeholder-identified": {"name", "title", "contact_points"},
    "stakeholder-revised": {"name", "title", "contact_points"},
    "stakeholder-assessed": {"business_motive", "personal_motive"},
    "contact-made": {"purpose", "summary"},
}

TOLD_BY = {
    "fact-recorded": {"text", "source"},
    "fact-checked": {"source", "note"},
    "approval-requested": {"authority", "reason"},
    "requirement-stated": {"text", "why", "timing"},
}
NAMES_PEOPLE = {
    "answered_by",
    "by",
    "contact",
    "id",
    "made_by",
    "made_to",
    "stakeholder",
    "their_people",
    "told_by",
    "user",
    "whose",
}


def fields(fact_type: type[Fact]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(fact_type)
    assert isinstance(info, inspect.StructType)
    return info.fields


def is_free_text(kind: inspect.Type) -> bool:
    match kind:
        case inspect.StrType(max_length=longest):
            return longest == FREE_TEXT_CHARACTERS
        case inspect.UnionType(types=types):
            return any(map(is_free_text, types))
        case inspect.VarTupleType(item_type=item):
            return is_free_text(item)
        case inspect.StructType(fields=parts):
            return any(is_free_text(part.type) for part in parts)
        case _:
            return False


@pytest.mark.parametrize("fact_type", FACT_TYPES)
def test_free_text_is_never_public(fact_type: type[Fact]) -> None:
    free = {field.name for field in fields(fact_type) if is_free_text(field.type)}
    assert free <= {*fact_type.personal, *fact_type.secret}


@pytest.mark.parametrize("fact_type", FACT_TYPES)
def test_a_marked_field_exists_and_is_marked_once(fact_type: type[Fact]) -> None:
    marked = [*fact_type.personal, *fact_type.secret]
    assert len(marked) == len(set(marked))
    assert set(marked) <= {field.name for field in fields(fact_type)}


def test_secrets_are_those_of_negotiating() -> None:
    assert {stored_name(one): set(one.secret) for one in FACT_TYPES if one.secret} == SECRETS


@pytest.mark.parametrize("marked", [NAMED, TOLD_BY])
def test_what_names_people_is_personal(marked: dict[str, set[str]]) -> None:
    by_name = {stored_name(one): set(one.personal) for one in FACT_TYPES}
    assert {name: by_name[name] for name in marked} == marked


@pytest.mark.parametrize("fact_type", [*FACT_TYPES, UserRegistered])
def test_whose_a_field_is_is_told_by_public_fields_beside_it(fact_type: type[Fact]) -> None:
    public = {field.name for field in fields(fact_type)} - {*fact_type.personal, *fact_type.secret}
    named = {one for whose in fact_type.personal.values() for one in whose}
    assert named <= public & NAMES_PEOPLE


@pytest.mark.parametrize("fact_type", FACT_TYPES)
def test_what_one_person_of_theirs_said_or_is_is_theirs(fact_type: type[Fact]) -> None:
    """But for an erasure: why somebody was forgotten has to be told after it."""
    ids = {
        field.name for field in fields(fact_type) if not isinstance(field.type, inspect.EnumType)
    }
    tellers = ids & (NAMES_PEOPLE - {"id", "user"})
    if fact_type.personal and stored_name(fact_type) != "subject-erased":
        assert tellers <= {one for whose in fact_type.personal.values() for one in whose}


def test_the_name_of_a_user_is_their_own() -> None:
    assert UserRegistered.personal == {"name": ("user",), "reference": ("user",)}


def withheld(fact: Fact, word: str) -> Fact:
    """The fact as whoever may see nothing but what is public reads it."""
    forms = _forms(type(fact))
    changes: dict[str, Any] = {}
    for name, (default, texts) in forms.items():
        value = getattr(fact, name)
        if value is UNSET or (value == default and name in fact.personal):
            continue
        changes[name] = {"one": word, "several": (word,), "none": default}[texts]
    return msgspec.structs.replace(fact, **changes)


@cache
def _forms(fact_type: type[Fact]) -> dict[str, tuple[Any, str]]:
    return {
        field.name: (field.default, _texts(field.type))
        for field in fields(fact_type)
        if field.name in {*fact_type.personal, *fact_type.secret}
    }


def _texts(kind: inspect.Type) -> str:
    for one in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        match one:
            case inspect.StrType():
                return "one"
            case inspect.VarTupleType(item_type=inspect.StrType()):
                return "several"
            case _:
                pass
    return "none"


def folded(history: Iterable[DealEvent]) -> Deal:
    deal = Deal()
    for event in in_fold_order(history):
        assert describe(event, deal)
        deal = evolve(deal, event)
    return deal


def public_part(deal: Deal) -> list[object]:
    """What nothing personal or secret has a part in."""
    return [
        (deal.life.status, deal.life.closed_at, deal.life.owner, deal.life.team_ids),
        (deal.stages.stage, deal.amount),
        [(one.id, one.person, one.level, one.roles, one.attitude) for one in deal.people.present],
        [contact.id for contact in deal.people.contacts],
        [need.explicit for need in deal.needs.needs],
        [
            (state.issue, state.our_stands, state.their_stands, len(state.approvals))
            for negotiation in deal.negotiations.opened
            for state in negotiation.issues
        ],
    ]


def judged(deal: Deal, at: datetime) -> dict[str, object]:
    """What each criterion rests on; that of a contact point is withheld with it."""
    return {
        name: predicate.judge(deal, at)
        for name, predicate in PREDICATES.items()
        if name != "reachable-contact"
    }


@given(histories(), st.sampled_from(sorted(WITHHELD)))
def test_what_is_withheld_stops_nothing_and_changes_nothing_public(
    history: tuple[DealEvent, ...], word: str
) -> None:
    known = [
        msgspec.structs.replace(event, fact=cast("DealFact", withheld(event.fact, word)))
        for event in history
    ]
    deal, without = folded(history), folded(known)
    assert public_part(without) == public_part(deal)
    refused = {version for version, _ in violations(history, BOOK)}
    assert {version for version, _ in violations(known, BOOK)} <= refused
    for event in history[-1:]:
        assert judged(without, event.occurred_at) == judged(deal, event.occurred_at)
    assert not {
        mark
        for negotiation in without.negotiations.opened
        for state in negotiation.issues
        for mark in (state.target, state.walk_away, state.their_walk_away)
        if mark is not None
    }


@pytest.mark.parametrize("word", sorted(WITHHELD))
def test_a_mark_that_is_withheld_is_unknown_and_sound(word: str) -> None:
    told = Scenario().and_given(
        opened(),
        NegotiationOpened("main", (PRICE,)),
        WalkAwayRevised("price", word),
        TheirWalkAwayEstimated("price", word),
    )
    state = told.deal.negotiations.issue("price")
    assert state is not None
    assert (state.walk_away, state.their_walk_away) == (None, None)
    assert list(violations(told.history.events, BOOK)) == []


@pytest.mark.parametrize("word", sorted(WITHHELD))
def test_sources_that_are_withheld_are_not_taken_for_the_same(word: str) -> None:
    told = Scenario().and_given(
        opened(),
        FactRecorded("f", Topic.SCALE, word, source=word),
        FactChecked("f", CheckResult.CONFIRMS, source=word),
    )
    assert list(violations(told.history.events, BOOK)) == []
