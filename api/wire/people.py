"""The stakeholder map: the customer's people on one deal, their threads, and how we cover them."""

from datetime import datetime

import msgspec

from api.wire.deals import Deal
from api.wire.values import Instant, optional_instant, same
from domain.competition import Field
from domain.deal import Deal as DealState
from domain.history import Recorded
from domain.people.facts import (
    Attitude,
    BuyingRole,
    ContactPoint,
    Focus,
    LeaningObserved,
    Level,
    Openness,
    Power,
    RelationKind,
    RelationRecorded,
    Relationship,
    StakeholderDeparted,
)
from domain.people.people import Stakeholder
from projections import people as projected
from store.times import written


class PersonalData(msgspec.Struct, frozen=True):
    """What speaks of someone as a person."""

    name: str
    title: str | None
    contact_points: list[ContactPoint]
    business_motive: str | None
    personal_motive: str | None

    @classmethod
    def of(cls, one: Stakeholder) -> "PersonalData":
        return cls(
            one.name,
            one.title,
            list(one.contact_points),
            one.business_motive,
            one.personal_motive,
        )


class Assessment(msgspec.Struct, frozen=True):
    """How someone stands to us and to the deal; null: not known."""

    influence: int | None
    """1 to 5."""
    attitude: Attitude | None
    relationship: Relationship | None
    openness: Openness | None
    focus: list[Focus]

    @classmethod
    def of(cls, one: Stakeholder) -> "Assessment":
        return cls(one.influence, one.attitude, one.relationship, one.openness, list(one.focus))


class Leaning(msgspec.Struct, frozen=True):
    """Whose offer someone prefers."""

    vendor: str | None
    """A competitor's id, `us`, or null for nobody's."""
    vendor_name: str | None
    """Null for us and for nobody."""
    observed_at: Instant
    version: int

    @classmethod
    def of(cls, event: Recorded[LeaningObserved], field: Field) -> "Leaning":
        vendor = event.fact.vendor
        competitor = field.competitor(vendor) if vendor else None
        return cls(
            vendor,
            competitor.fact.name if competitor else None,
            written(event.occurred_at),
            event.version,
        )


class Departure(msgspec.Struct, frozen=True):
    """Someone left, or has no part in the purchase any more."""

    departed_at: Instant
    successor: str | None
    """The id of whoever took over."""
    version: int

    @classmethod
    def of(cls, event: Recorded[StakeholderDeparted]) -> "Departure":
        return cls(written(event.occurred_at), event.fact.successor, event.version)


class MappedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One of the customer's people on the deal."""

    id: str
    person: str | None
    """The same human being on every deal."""
    erased: bool
    """Nothing personal of theirs is shown any more."""
    personal: PersonalData
    department: str | None
    level: Level | None
    roles: list[BuyingRole]
    powers: list[Power]
    reports_to: str | None
    """The id of whoever stands above."""
    depth: int
    """How many stand above, as far as it is known."""
    assessment: Assessment
    leaning: Leaning | None
    departure: Departure | None
    contacts: int
    """In how many contacts they took part."""
    contact_versions: list[int]
    """The events of those contacts."""
    last_met_at: Instant | None
    set_by: dict[str, int]
    """By the name of a field: the event that last gave it."""

    @classmethod
    def of(cls, placed: projected.PersonOnMap, field: Field) -> "MappedPerson":
        one = placed.stakeholder
        return cls(
            erased=one.erased is not None,
            personal=PersonalData.of(one),
            roles=list(one.roles),
            powers=list(one.powers),
            depth=placed.depth,
            assessment=Assessment.of(one),
            leaning=Leaning.of(one.leaning, field) if one.leaning else None,
            departure=Departure.of(one.departed) if one.departed else None,
            contacts=len(placed.contacts),
            contact_versions=[contact.made.version for contact in placed.contacts],
            last_met_at=optional_instant(placed.last_met),
            set_by=dict(one.set_by),
            **same(one, ("id", "person", "department", "level", "reports_to")),
        )


class Thread(msgspec.Struct, frozen=True):
    """How two people stand to each other; `influences` runs from one to the other."""

    from_: str = msgspec.field(name="from")
    to: str
    kind: RelationKind
    strength: int | None
    """1 to 5."""
    version: int

    @classmethod
    def of(cls, event: Recorded[RelationRecorded]) -> "Thread":
        fact = event.fact
        return cls(fact.from_, fact.to, fact.kind, fact.strength, event.version)


class LevelFigures(msgspec.Struct, frozen=True):
    """The people of one level who have a part in the purchase."""

    level: Level | None
    """Null: those whose level is not known."""
    people: int
    support: int
    """Sum of attitude (-2 to 2) times influence (1 to 5), where both are known."""

    @classmethod
    def of(cls, figures: projected.LevelFigures) -> "LevelFigures":
        return cls(figures.level, figures.people, figures.support)


class EntryWay(msgspec.Struct, frozen=True):
    """A known way into the buying centre; null: nobody who holds the focus was met yet."""

    focus: Focus
    people: list[str]
    reached_at: Instant | None

    @classmethod
    def of(cls, way: projected.Way) -> "EntryWay":
        return cls(way.focus, list(way.people), optional_instant(way.reached_at))


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How well we know and meet the customer's people. Days are whole days."""

    roles_filled: list[BuyingRole]
    roles_missing: list[BuyingRole]
    contacted_30_days: list[str]
    """Who was contacted in the last 30 days, of those who have a part in the purchase."""
    levels: list[LevelFigures]
    support: int
    """The support of all levels together."""
    unassessed: int
    """People with a part in the purchase whose attitude or influence is not known."""
    busiest: str | None
    """Who took part in most of the contacts."""
    busiest_share: int | None
    """In how many of the contacts they took part, in per cent."""
    days_since_decision_maker_met: int | None
    """Null: nobody decides as far as we know, or nobody who does was ever met."""
    entry_path: list[EntryWay]
    """In the order in which they were reached; those not reached behind."""

    @classmethod
    def of(cls, figures: projected.Coverage) -> "Coverage":
        return cls(
            roles_filled=list(figures.roles_filled),
            roles_missing=list(figures.roles_missing),
            contacted_30_days=list(figures.contacted_lately),
            levels=[LevelFigures.of(level) for level in figures.levels],
            entry_path=[EntryWay.of(way) for way in figures.entry_path],
            **same(figures, _AS_IN_THE_FIGURES),
        )


_AS_IN_THE_FIGURES = (
    "support",
    "unassessed",
    "busiest",
    "busiest_share",
    "days_since_decision_maker_met",
)


class StakeholderMap(msgspec.Struct, frozen=True, kw_only=True):
    """The customer's people on one deal at (as of, known at)."""

    as_of: Instant
    known_at: Instant
    deal: Deal
    people: list[MappedPerson]
    """In the order of the reporting lines, each behind whoever stands above."""
    threads: list[Thread]
    coverage: Coverage

    @classmethod
    def of(
        cls, deal: Deal, state: DealState, *, as_of: datetime, known_at: datetime
    ) -> "StakeholderMap":
        found = projected.stakeholder_map(state, as_of)
        return cls(
            as_of=written(as_of),
            known_at=written(known_at),
            deal=deal,
            people=[MappedPerson.of(placed, state.field) for placed in found.people],
            threads=[Thread.of(event) for event in found.relations],
            coverage=Coverage.of(found.coverage),
        )
