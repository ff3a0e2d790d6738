"""What a rule says (`Firing`), and what is told of it (`Finding`)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from domain.process import Words


class Weight(StrEnum):
    """How bad it is, in the words of those who comment on games of chess."""

    NOTE = "note"
    MISTAKE = "mistake"
    BLUNDER = "blunder"


class Kind(StrEnum):
    """What a deal has to hold on record before something missing there means anything."""

    PEOPLE = "people"
    CONTACTS = "contacts"
    ATTITUDES = "attitudes"
    MINUTES = "minutes"
    NEEDS = "needs"
    CRITERIA = "criteria"
    COMPETITORS = "competitors"
    QUALIFICATION = "qualification"
    STEPS = "steps"
    INFORMATION = "information"
    VALUES = "values"
    PHASES = "phases"
    PART = "part"


Told: TypeAlias = Mapping[str, str | int | tuple[str, ...]]
"""What was known, by the name under which a sentence speaks of it.

Under names that begin with `who` stand ids of stakeholders, with `vendor` those of vendors, with
`stage` those of stages.
"""


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """A rule holds from `since` on, until `until`; None: as long as the deal is open."""

    since: datetime
    until: datetime | None = None
    evidence: tuple[int, ...]
    """Versions of exactly the events that make it, ascending."""
    trigger: int | None = None
    """Version of the event with which it began; None: a deadline passed at `since`."""
    told: Told = {}
    subject: str = ""
    """What it is about, where a rule can fire for several: the id of an issue, a concern."""
    weight: Weight | None = None
    """Where it differs from the rule's own."""
    needs: tuple[Kind, ...] = ()
    """Without events of each of these, something missing means nothing: not assessable."""
    wording: str = ""
    """Which of the rule's sentences, where it has several."""
    of_outcome: bool = False
    """It is about the outcome itself: it begins with it and does not end with it."""
    lasts: bool = False
    """It is about a state that lasts, not about something that was done."""
    happened_at: datetime | None = None
    """When it was so, where it could be told only at `since`."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule found in a history."""

    rule: str
    weight: Weight
    since: datetime
    until: datetime | None
    """Exclusive; None: it still holds at the moment asked for."""
    trigger: int | None
    """Version of the event with which it began; None: a deadline passed at `since`."""
    evidence: tuple[int, ...]
    """Versions of the events that make it, ascending."""
    subject: str
    known: Told
    """What was known, by name; people and vendors by id."""
    sentence: Words
    practice: Words
    """What good practice would have been."""
    happened_at: datetime
    """When it was so first: before `since` where it could be told only then."""
    of_outcome: bool = False
    secret: bool = False
    """It rests on secrets."""

    def holds_at(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


class Assessment(msgspec.Struct, frozen=True):
    """What all rules say of one history at one moment."""

    findings: tuple[Finding, ...]
    """In order of when they began, then of the book."""
    not_assessable: Mapping[str, tuple[Kind, ...]]
    """By rule: of what the history holds nothing, without which the rule cannot tell."""
