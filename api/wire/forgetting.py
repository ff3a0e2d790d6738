"""What is sent and answered when people are forgotten. Nobody is named but by ids."""

from collections.abc import Iterable
from typing import Annotated, Self

import msgspec

from api.wire.keeping import ErasedStakeholder
from domain.values import Label, Text
from store.forgetting.appearances import Person

Names = Annotated[tuple[Label, ...], msgspec.Meta(min_length=1, max_length=100)]


class WantedErasure(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Forget one human being, on every deal and for good."""

    persons: Names
    """Ids of the person across deals, or DEAL/STAKEHOLDER; all of them where one human being was
    taken for several persons."""
    reason: Text | None = None
    """Why; recorded, so it may name nobody."""


class WantedSurvey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tell what erasing somebody would take away. Changes nothing."""

    persons: Names
    """As for the erasure."""


class WantedPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Look somebody up. The name stands in the body, since addresses are written to logs."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    """A part of the name: three letters or digits at least, or two characters as in 李娜."""


class FoundPerson(msgspec.Struct, frozen=True):
    """Somebody who has that in a name that can still be read."""

    name: str
    persons: list[str]
    """How to name them for an erasure."""
    stakeholders: list[ErasedStakeholder]
    """Where they appear."""

    @classmethod
    def of(cls, name: str, person: Person) -> Self:
        places = appearances_of(person)
        ids = list(person.persons) or [f"{places[0].deal}/{places[0].stakeholder}"]
        return cls(name, ids, places)


class FoundPersons(msgspec.Struct, frozen=True):
    """Who answers to a name."""

    found: list[FoundPerson]
    """Twenty at most, in order of names."""
    more: bool
    """Whether there are others; more of the name finds them."""


class ErasedEvent(msgspec.Struct, frozen=True):
    """An event that says that somebody was forgotten on a deal."""

    stream: str
    version: int
    token: str
    """For the header `Dealstate-Wait-For`."""


class Erased(msgspec.Struct, frozen=True):
    """Somebody who was forgotten. What is left of them, a survey tells."""

    persons: list[str]
    """Ids of the person across deals."""
    stakeholders: list[ErasedStakeholder]
    events: list[ErasedEvent]
    """None: they were forgotten before."""

    @classmethod
    def of(cls, person: Person, events: Iterable[ErasedEvent]) -> Self:
        return cls(list(person.persons), appearances_of(person), list(events))


def appearances_of(person: Person) -> list[ErasedStakeholder]:
    """Where somebody appears, by ids."""
    return [ErasedStakeholder(one.deal, one.stakeholder) for one in person.appearances]
