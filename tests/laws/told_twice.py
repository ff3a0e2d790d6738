"""One story, told into a store with other secrets or other words about people.

The story is that of the examples: every command of the domain, under all rules.
What only the deal team may know, and what speaks of people, can be exchanged for
something else; ids, times and all that is public stay the same.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st

from api.commands import BY_NAME, decode_command, facts_of
from api.examples import Step, story
from domain.access import Principal, Role
from domain.history import Fact
from domain.intent import Intent
from domain.lifecycle.commands import OpenOpportunity
from domain.negotiation.facts import PressureReading
from domain.organisation import AnyOrganisationCommand, GrantMembership, RegisterUnit, RegisterUser
from store.location import Location
from store.log import DealLog

DEAL = "D-0114"
_OTHER_DEAL = "D-0042"
_TELLER = Principal("anna", frozenset({Role.OPERATOR}))
_BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)

STAFF: tuple[AnyOrganisationCommand, ...] = (
    RegisterUnit("north", "North"),
    RegisterUnit("south", "South"),
    RegisterUser("anna", "Anna Lindqvist"),
    RegisterUser("mei", "Mei Fang"),
    GrantMembership("anna", Role.SELLER, "north"),
    GrantMembership("mei", Role.SELLER, "north"),
    RegisterUser("ann", "Ann Ames"),
    GrantMembership("ann", Role.ANALYST),
    RegisterUser("sam", "Sam Roe"),
    GrantMembership("sam", Role.SELLER, "south"),
    RegisterUser("ada", "Ada Bell"),
    GrantMembership("ada", Role.ADMIN),
)
OUTSIDERS = ("ann", "sam", "ada")
"""An analyst, a seller of another unit, an admin."""
INSIDER = "mei"
"""The owner of the deal in the end."""

Change = Callable[[Step], dict[str, Any]]
"""The fields of a step that are told otherwise."""


class Secrets(msgspec.Struct, frozen=True):
    """What only our side knows, where the story says it; None: it does not say it."""

    target: str | None
    walk_away: str | None
    estimate: str
    basis: str | None
    reading: PressureReading | None
    revised: str
    reason: str | None


def secrets() -> st.SearchStrategy[Secrets]:
    """Marks under which every offer of the story can be made, and words about them.

    Each is short enough for the smallest step to which secrets are filled up.
    """
    names = st.sampled_from(["", "Li Na said so. ", "Zhao Min and Chen Jie. "])
    words = st.none() | st.tuples(names, texts(80)).map("".join)
    marks = st.integers(0, 117_000).map(str)
    anything = st.integers(0, 10**9).map(str)
    return st.builds(
        Secrets,
        target=st.none() | anything,
        walk_away=st.none() | marks,
        estimate=anything,
        basis=words,
        reading=st.none() | st.sampled_from(PressureReading),
        revised=marks,
        reason=words,
    ).filter(lambda one: one.revised != one.walk_away)


def texts(longest: int = 60) -> st.SearchStrategy[str]:
    """Texts as people write them, in any script; never blank."""
    letters = st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"))
    return st.text(letters, min_size=1, max_size=longest).filter(lambda text: bool(text.strip()))


def with_secrets(known: Secrets) -> Change:
    """The story with these secrets in place of its own."""

    def changed(step: Step) -> dict[str, Any]:
        match step.command:
            case "open-negotiation":
                told: Mapping[str, Any] = {
                    "targets": _terms(known.target),
                    "walk_aways": _terms(known.walk_away),
                }
            case "estimate-their-walk-away":
                told = {"walk_away": known.estimate, "basis": known.basis}
            case "record-walk-away-pressed":
                told = {"reading": known.reading}
            case "revise-walk-away":
                told = {"walk_away": known.revised, "reason": known.reason}
            case _:
                told = {}
        return dict(told)

    return changed


def _terms(price: str | None) -> list[dict[str, str]]:
    return [] if price is None else [{"issue": "price", "value": price}]


def with_words(words: Callable[[], str]) -> Change:
    """The story with other words wherever it speaks of people, or may."""

    def changed(step: Step) -> dict[str, Any]:
        personal = {name for fact in _facts(step) for name in fact.personal}
        return {
            name: _reworded(value, words) for name, value in step.data.items() if name in personal
        }

    return changed


def _facts(step: Step) -> Sequence[type[Fact]]:
    return facts_of(BY_NAME[step.command])


def _reworded(value: Any, words: Callable[[], str]) -> Any:
    match value:
        case str():
            return words()
        case list():
            return [_reworded(one, words) for one in value]
        case {"kind": kind, "value": str()}:
            return {"kind": kind, "value": words()}
        case _:
            return value


def tell(folder: Path, change: Change) -> Path:
    """Make the store `deals.db` in `folder` and tell it the story. Answers with the folder."""
    now = _BEGIN
    log = DealLog.create(Location.beside(folder / "deals.db"), lambda: now)
    for number, one in enumerate(STAFF):
        log.configure(one, _intent(f"staff-{number}", now))
    other = OpenOpportunity("Workshop", owner="anna", currency="USD")
    log.handle(_OTHER_DEAL, other, _intent("other", now))
    for number, step in enumerate(story()):
        now = datetime.combine(step.on, time(9), tzinfo=UTC)
        content = msgspec.json.encode({**step.data, **change(step)})
        command = decode_command(step.command, content)
        log.handle(DEAL, command, _intent(f"step-{number}", now))
    log.close()
    return folder


def _intent(command_id: str, now: datetime) -> Intent:
    return Intent(command_id, _TELLER, "cli", now=now, occurred_at=now)
