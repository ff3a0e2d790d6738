"""Targets: what is set and taken back, and which of them count."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Principal, Role
from domain.directory import Directory, UnitRegistered, User, UserRegistered
from domain.history import Fact, Recorded
from domain.intent import Intent
from domain.lifecycle.facts import NoteAdded
from domain.refusals import (
    InvalidTarget,
    NotAllowed,
    Refusal,
    TextNotLegible,
    UnknownReference,
)
from domain.targets import (
    SetTarget,
    Target,
    Targets,
    TargetSet,
    decide_target,
    describe,
    stream_of_period,
)
from domain.values import Money
from tests import strategies

ADMIN = Principal("ada", frozenset({Role.ADMIN}))
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
Q1 = (date(2026, 1, 1), date(2026, 3, 31))
Q2 = (date(2026, 4, 1), date(2026, 6, 30))
DIRECTORY = Directory(
    {"ann": User("ann", UserRegistered("ann", "Ann")), "ghost": User("ghost")},
    {"west": UnitRegistered("west", "West")},
)


def eur(amount: int) -> Money:
    return Money.parse(str(amount), "EUR")


def usd(amount: int) -> Money:
    return Money.parse(str(amount), "USD")


def recorded(fact: Fact, version: int = 1, known_at: datetime = NOW) -> Recorded[Fact]:
    stream = stream_of_period(*Q1)
    return Recorded(stream, version, NOW, known_at, NOW, "ada", "cli", "c", "c", fact)


STANDING = Targets.of(
    [
        recorded(TargetSet(*Q1, eur(100))),
        recorded(TargetSet(*Q1, eur(40), owner="ann"), 2),
        recorded(TargetSet(*Q1, usd(50), owner="ann"), 3),
    ]
)


def asked(
    command: SetTarget, targets: Targets = STANDING, by: Principal = ADMIN
) -> tuple[TargetSet, ...]:
    return decide_target(command, targets, DIRECTORY, Intent("c-1", by, "cli", NOW, NOW))


@pytest.mark.parametrize(
    ("command", "fact"),
    [
        (SetTarget(*Q1, eur(101)), TargetSet(*Q1, eur(101))),
        (SetTarget(*Q1, usd(100)), TargetSet(*Q1, usd(100))),
        (SetTarget(*Q2, eur(100)), TargetSet(*Q2, eur(100))),
        (SetTarget(*Q1, eur(0), owner="ann"), TargetSet(*Q1, eur(0), owner="ann")),
        (SetTarget(*Q1, eur(9), unit="west"), TargetSet(*Q1, eur(9), unit="west")),
        (SetTarget(*Q1, eur(9), territory="Elbe"), TargetSet(*Q1, eur(9), territory="Elbe")),
        (SetTarget(*Q1, None), TargetSet(*Q1)),
        (SetTarget(*Q1, None, owner="ann"), TargetSet(*Q1, owner="ann")),
        (SetTarget(Q1[0], Q1[0], eur(1)), TargetSet(Q1[0], Q1[0], eur(1))),
    ],
)
def test_a_command_leads_to_its_fact(command: SetTarget, fact: TargetSet) -> None:
    assert asked(command) == (fact,)


@pytest.mark.parametrize(
    "command",
    [
        SetTarget(*Q1, eur(100)),
        SetTarget(*Q1, eur(40), owner="ann"),
        SetTarget(*Q1, usd(50), owner="ann"),
        SetTarget(*Q2, None),
        SetTarget(*Q1, None, territory="Elbe"),
        SetTarget(*Q1, None, owner="nobody"),
    ],
)
def test_what_stands_already_changes_nothing(command: SetTarget) -> None:
    assert asked(command) == ()


@pytest.mark.parametrize(
    ("command", "refusal", "words"),
    [
        (SetTarget(Q1[1], Q1[0], eur(1)), InvalidTarget, "before it begins"),
        (SetTarget(*Q1, eur(1), "ann", unit="west"), InvalidTarget, "'ann', 'west'"),
        (SetTarget(*Q1, None, "ann", "Elbe", "west"), InvalidTarget, "one of"),
        (SetTarget(*Q1, eur(1), "bo"), UnknownReference, "no user 'bo'"),
        (SetTarget(*Q1, eur(1), "ghost"), UnknownReference, "no user 'ghost'"),
        (SetTarget(*Q1, eur(1), unit="east"), UnknownReference, "no unit 'east'"),
        (SetTarget(*Q1, eur(1), territory=" "), TextNotLegible, "blank"),
    ],
)
def test_refuses(command: SetTarget, refusal: type[Refusal], words: str) -> None:
    with pytest.raises(refusal, match=words):
        asked(command)


@pytest.mark.parametrize("role", [Role.SELLER, Role.MANAGER, Role.ANALYST, Role.AUDITOR])
def test_only_who_may_configure_sets_them(role: Role) -> None:
    with pytest.raises(NotAllowed):
        asked(SetTarget(*Q1, eur(1)), by=Principal("eve", frozenset({role})))


def test_the_known_last_counts_for_each_period_holder_and_currency() -> None:
    assert [(one.owner, str(one.amount), one.version) for one in STANDING.all] == [
        (None, "100.00 EUR", 1),
        ("ann", "40.00 EUR", 2),
        ("ann", "50.00 USD", 3),
    ]
    later = NOW + timedelta(days=3)
    changed = Targets.of(
        [
            recorded(TargetSet(*Q1, eur(70), owner="ann"), 4, later),
            recorded(TargetSet(*Q2, eur(7)), 1, NOW),
            *STANDING.events,
        ]
    )
    assert changed.of_period(*Q2) == (Target(*Q2, eur(7), None, None, None, 1),)
    assert changed.of_period(Q1[0], Q2[1]) == ()
    assert [one.amount for one in changed.of_period(*Q1)] == [eur(100), eur(70), usd(50)]
    before = changed.as_known(NOW)
    assert [one.amount for one in before.of_period(*Q1)] == [eur(100), eur(40), usd(50)]
    assert before.as_known(None) == changed
    assert changed.as_known(NOW - timedelta(seconds=1)).all == ()


def test_what_was_known_last_counts_not_what_was_recorded_last() -> None:
    late = recorded(TargetSet(*Q1, eur(1)), 1, NOW + timedelta(days=1))
    early = recorded(TargetSet(*Q1, eur(2)), 2, NOW)
    assert [one.amount for one in Targets.of([late, early]).all] == [eur(1)]


def test_taken_back_it_is_gone_in_every_currency_and_for_nobody_else() -> None:
    later = NOW + timedelta(days=1)
    targets = Targets.of([*STANDING.events, recorded(TargetSet(*Q1, owner="ann"), 4, later)])
    assert [one.amount for one in targets.all] == [eur(100)]
    assert targets.as_known(NOW).all == STANDING.all
    again = Targets.of([*targets.events, recorded(TargetSet(*Q1, eur(5), "ann"), 5, later)])
    assert [one.amount for one in again.all] == [eur(100), eur(5)]


def test_they_come_in_order_of_period_holder_and_currency() -> None:
    wanted = [
        TargetSet(*Q1, eur(1)),
        TargetSet(*Q1, eur(2), unit="west"),
        TargetSet(*Q1, eur(3), territory="Elbe"),
        TargetSet(*Q1, eur(4), owner="ann"),
        TargetSet(*Q1, usd(5), owner="ann"),
        TargetSet(*Q2, eur(6)),
    ]
    events = [recorded(fact, number) for number, fact in enumerate(reversed(wanted), start=1)]
    assert [one.amount for one in Targets.of(events).all] == [one.amount for one in wanted]


def test_other_facts_are_passed_over() -> None:
    assert Targets.of([recorded(NoteAdded("x"))]).all == ()


@given(st.lists(strategies.events(strategies.facts_of(TargetSet)), max_size=6))
def test_the_fold_takes_whatever_can_be_stored(events: list[Recorded[Fact]]) -> None:
    targets = Targets.of(events)
    assert Targets.of(reversed(events)).as_known(None).events == tuple(reversed(events))
    for one in targets.all:
        assert one in targets.of_period(one.first, one.last)


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (TargetSet(*Q1, eur(1500)), "set the target of 2026-01-01 to 2026-03-31 for all to"),
        (TargetSet(*Q1, eur(1), owner="ann"), "for the user ann to 1.00 EUR"),
        (TargetSet(*Q1, eur(1), territory="Elbe"), "for the territory Elbe"),
        (TargetSet(*Q1, unit="west"), "took back the target of 2026-01-01 to 2026-03-31 for the"),
    ],
)
def test_what_happened_is_told(fact: TargetSet, words: str) -> None:
    assert words in describe(fact)
