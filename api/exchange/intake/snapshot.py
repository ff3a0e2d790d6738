"""What a source says of a deal: the one form in which every importer hands deals over.

A snapshot is what was true at one moment. Fields the source does not speak of
are UNSET; None says that the source knows of none. A reading is a snapshot with
its time and its place in the input; a deal is its readings.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec
from msgspec import UNSET, UnsetType

from api.exchange.identity import Identity
from api.exchange.report import Kind, Origin
from domain.deal import Deal
from domain.directory import UserRegistered
from domain.history import StreamKind, stream_of
from domain.lifecycle.facts import Account, OpportunityLost, OpportunityWon
from domain.people.facts import StakeholderRevised
from domain.process import ProcessBook, SalesProcess
from domain.values import BusinessType, ForecastCategory, Money

MANAGER = "manager"
"""The role in a deal's team that importers fill."""


class Snapshot(msgspec.Struct, frozen=True):
    """What a source says of a deal at one moment."""

    name: str | UnsetType = UNSET
    account: Account | None | UnsetType = UNSET
    business_type: BusinessType | None | UnsetType = UNSET
    products: tuple[str, ...] | UnsetType = UNSET
    territory: str | None | UnsetType = UNSET
    region: str | None | UnsetType = UNSET
    route: str | None | UnsetType = UNSET
    lead_source: str | None | UnsetType = UNSET
    owner: str | UnsetType = UNSET
    manager: str | None | UnsetType = UNSET
    stage: str | UnsetType = UNSET
    amount: Money | None | UnsetType = UNSET
    expected_close: date | None | UnsetType = UNSET
    probability: int | None | UnsetType = UNSET
    """Override of the stage's probability, in per cent."""
    category: ForecastCategory | None | UnsetType = UNSET
    """Override of the stage's forecast category."""
    outcome: OpportunityWon | OpportunityLost | None | UnsetType = UNSET
    """None: the deal is open."""


FIELDS = Snapshot.__struct_fields__


class Reading(msgspec.Struct, frozen=True):
    """A snapshot, when it held and where it was read."""

    key: str
    """Stable id of the row within the source; with the type of a fact it makes its command id."""
    at: datetime
    snapshot: Snapshot
    origin: Origin
    actor: str
    day: date | None = None
    """Set where the source gave a date without a time."""
    known_at: datetime | None = None
    """The source's own time of recording; None where it tells none."""
    inferred: bool = False
    """Deduced rather than read."""
    dated: bool = True
    """The time is the snapshot's own, not borrowed from another fact of the row."""
    assumed: bool = False
    """The time is that of the import, for lack of one."""
    remark: Kind | None = None
    """What to report if this reading changes the deal."""


class Remark(msgspec.Struct, frozen=True):
    """Something for the report."""

    kind: Kind
    reason: str
    origin: Origin


class SourcePerson(msgspec.Struct, frozen=True):
    """One of the customer's people on a deal, as the source tells them now."""

    reading: Reading
    """When they came to the deal. Its snapshot says nothing of the deal."""
    person: str
    """The same human being on every deal of the source."""
    said: StakeholderRevised
    """Names them; absent is what the source does not speak of."""
    revised_by: str
    """Who changed them last, as far as the source says."""
    remarks: tuple[Remark, ...] = ()
    """To be told unless they are skipped."""

    @property
    def id(self) -> str:
        """Of the stakeholder, on the deal."""
        return self.said.stakeholder


class SourceDeal(msgspec.Struct, frozen=True):
    """One deal as its source tells it. The earliest reading opens it and names name and owner."""

    reference: str
    currency: str
    process: SalesProcess
    readings: tuple[Reading, ...]
    users: tuple[UserRegistered, ...] = ()
    """Who the ids in the readings stand for, as far as the source says."""
    people: tuple[SourcePerson, ...] = ()
    """Each once. Whoever reports to somebody who is not here reports to nobody known."""
    revised_at: datetime | None = None
    """When the source last changed the row; None where it does not tell."""


class Context(msgspec.Struct, frozen=True):
    """What holds for all deals of a batch."""

    identity: Identity
    book: ProcessBook
    """Has the processes of all the deals."""
    now: datetime
    """When the import runs."""

    def stream(self, deal: SourceDeal) -> str:
        return stream_of(StreamKind.DEAL, self.identity.deal(deal.reference))


def current(deal: Deal) -> Snapshot:
    """What the deal's state says, every field set."""
    life, stages = deal.life, deal.stages
    managers = [event.fact.member for event in life.team if event.fact.role == MANAGER]
    return Snapshot(
        name=life.name or "",
        account=life.account,
        business_type=life.business_type,
        products=life.products,
        territory=life.territory,
        region=life.own_region,
        route=life.route,
        lead_source=life.lead_source,
        owner=life.owner or "",
        manager=managers[-1] if managers else None,
        stage=stages.stage or "",
        amount=stages.amount,
        expected_close=stages.expected_close,
        probability=stages.probability,
        category=stages.category,
        outcome=life.outcome.fact if life.outcome else None,
    )


def differing(wanted: Snapshot, known: Snapshot) -> Snapshot:
    """What `wanted` says other than `known`; all else UNSET."""
    return Snapshot(
        **{
            name: value
            for name in FIELDS
            if (value := getattr(wanted, name)) is not UNSET and value != getattr(known, name)
        }
    )


def merged(earlier: Snapshot, later: Snapshot) -> Snapshot:
    """What both say together, the later one where both speak."""
    said = {name: value for name in FIELDS if (value := getattr(later, name)) is not UNSET}
    return msgspec.structs.replace(earlier, **said)


def fields_set(snapshot: Snapshot) -> tuple[str, ...]:
    """The fields that the snapshot speaks of."""
    return tuple(name for name in FIELDS if getattr(snapshot, name) is not UNSET)
