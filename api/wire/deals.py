"""Deals as they leave the process: the row of a listing, and one deal in full."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import msgspec

from api.wire.gates import Gate
from api.wire.values import Amount, Instant, Names, User, optional_instant
from api.wire.words import spoken
from domain.alignment import alignment
from domain.deal import Deal as DealState
from domain.deal import DealFact, describe
from domain.history import Recorded, fold_order
from domain.lifecycle import Status
from domain.lifecycle.facts import Account, SpendKind
from domain.process import ProcessBook
from domain.values import BusinessType, ForecastCategory
from projections.frames import Frame
from projections.instants import instant_of
from projections.reported import reported
from projections.rows import amount_of
from store.times import written


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """One deal at one moment."""

    id: str
    reference: str | None
    """Id of the deal in the system it came from."""
    name: str
    version: int
    """Of the deal's stream: how many events it has."""
    status: Status
    outcome: str | None
    """How it ended: won, or how it was lost."""
    account: str | None
    account_id: str | None
    industry: str | None
    region: str | None
    territory: str | None
    product: str | None
    """The products, joined where there are several."""
    business_type: BusinessType | None
    process: str
    """Sales process and its version, `key-account/1`."""
    stage: str
    stage_entered_at: Instant | None
    amount: Amount | None
    """The contract value once won, else the amount forecast; null: unknown."""
    currency: str
    expected_close: date | None
    probability: int | None
    """Per cent."""
    forecast_category: ForecastCategory | None
    grade: str | None
    owner: User
    manager: User | None
    lead_source: str | None
    opened_at: Instant
    closed_at: Instant | None
    last_occurred_at: Instant

    @classmethod
    def of_row(cls, row: Mapping[str, Any], names: Names) -> "Deal":
        """From a row of the read model."""
        return cls(
            id=row["deal_id"],
            amount=Amount.of(amount_of(row)),
            owner=names.user(row["owner"]),
            manager=names.optional(row["manager"]),
            status=Status(row["status"]),
            business_type=_choice(BusinessType, row["business_type"]),
            forecast_category=_choice(ForecastCategory, row["forecast_category"]),
            expected_close=date.fromisoformat(close) if (close := row["expected_close"]) else None,
            stage_entered_at=_told(row["stage_entered_at"]),
            opened_at=_instant(row["opened_at"]),
            closed_at=_told(row["closed_at"]),
            last_occurred_at=_instant(row["last_occurred_at"]),
            **{name: row[name] for name in _AS_IN_THE_ROW},
        )

    @classmethod
    def of_frames(
        cls,
        deal_id: str,
        version: int,
        frames: Sequence[Frame],
        processes: ProcessBook,
        names: Names,
    ) -> "Deal":
        """From the fold that ends with the last of `frames`; the deal is open by then."""
        state = frames[-1].after
        life, stages = state.life, state.stages
        facts = reported(state, processes, frames[-1].event.occurred_at)
        assert facts is not None
        managers = [event.fact.member for event in life.team if event.fact.role == "manager"]
        return cls(
            id=deal_id,
            version=version,
            name=life.name or "",
            reference=life.reference,
            status=facts.status,
            outcome=facts.outcome,
            account=life.account.name if life.account else None,
            account_id=life.account.id if life.account else None,
            industry=facts.industry,
            region=facts.region,
            territory=facts.territory,
            product=facts.product,
            business_type=life.business_type,
            process=facts.process,
            stage=facts.stage,
            stage_entered_at=optional_instant(stages.entered_at),
            amount=Amount.of(facts.amount),
            currency=facts.currency,
            expected_close=facts.expected_close,
            probability=facts.probability,
            forecast_category=_choice(ForecastCategory, facts.forecast_category),
            grade=facts.grade,
            owner=names.user(facts.owner),
            manager=names.optional(managers[-1] if managers else None),
            lead_source=life.lead_source,
            opened_at=written(facts.opened_at),
            closed_at=optional_instant(facts.closed_at),
            last_occurred_at=written(frames[-1].event.occurred_at),
        )


_AS_IN_THE_ROW = (
    "version",
    "name",
    "reference",
    "outcome",
    "account",
    "account_id",
    "industry",
    "region",
    "territory",
    "product",
    "process",
    "stage",
    "currency",
    "probability",
    "grade",
    "lead_source",
)


@lru_cache(maxsize=20_000)
def _instant(micros: int) -> str:
    """Remembered, since a page has some dozens of them and is asked for again and again."""
    return written(instant_of(micros))


def _told(micros: int | None) -> str | None:
    return None if micros is None else _instant(micros)


def _choice(kind: Any, value: str | None) -> Any:
    return None if value is None else kind(value)


class DealPage(msgspec.Struct, frozen=True):
    """Part of a listing of deals."""

    deals: list[Deal]
    cursor: str | None
    """Asks for the part that follows; null at the end."""
    caveats: list[str]
    """What limits the answer."""


class TeamMember(msgspec.Struct, frozen=True):
    """Someone of ours on the deal."""

    user: User
    role: str
    level: str | None


class Visit(msgspec.Struct, frozen=True):
    """One stay in a stage, from the event that entered it."""

    stage: str
    entered_at: Instant
    left_at: Instant | None
    version: int


class OnRecord(msgspec.Struct, frozen=True):
    """What an event says that is part of the deal's state: a judgement, a plan, a step, a note."""

    part: str
    """Which part of the state it is: `assessment`, `win_plan`, `next_steps`, …"""
    version: int
    occurred_at: Instant
    actor: User
    what: str
    fact: DealFact
    """As it is stored: fields at their default are left out."""


class DealGate(msgspec.Struct, frozen=True):
    """How the gate of a stage of one deal stood at (as of, known at)."""

    as_of: Instant
    known_at: Instant
    deal: Deal
    gate: Gate


class DealDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One deal as it stood at (as of, known at), folded from its events."""

    as_of: Instant
    known_at: Instant
    deal: Deal
    account: Account | None
    """The customer as known on the deal; what is not known is left out."""
    products: list[str]
    spend_kind: SpendKind | None
    route: str | None
    team: list[TeamMember]
    gate: Gate | None
    """How the gate of the current stage stands."""
    alignment: int | None
    """Phases that our stage is ahead of the customer; below 0: behind; null: unknown, or ended."""
    visits: list[Visit]
    on_record: list[OnRecord]

    @classmethod
    def of_frames(
        cls,
        deal: Deal,
        frames: Sequence[Frame],
        processes: ProcessBook,
        names: Names,
        *,
        as_of: datetime,
        known_at: datetime,
    ) -> "DealDetail":
        state = frames[-1].after
        life = state.life
        return cls(
            as_of=written(as_of),
            known_at=written(known_at),
            deal=deal,
            account=life.account,
            products=list(life.products),
            spend_kind=life.spend_kind,
            route=life.route,
            team=[
                TeamMember(names.user(event.fact.member), event.fact.role, event.fact.level)
                for event in life.team
            ],
            gate=_gate(frames, processes, as_of, names),
            alignment=_alignment(state, processes, as_of),
            visits=_visits(state),
            on_record=_on_record(frames, names),
        )


def _gate(
    frames: Sequence[Frame], processes: ProcessBook, at: datetime, names: Names
) -> Gate | None:
    state = frames[-1].after
    if state.life.process is None or state.stages.stage is None:
        return None
    stage = processes.get(state.life.process).stage(state.stages.stage)
    return Gate.of(stage, frames, at, names) if stage else None


def _alignment(state: DealState, processes: ProcessBook, at: datetime) -> int | None:
    if state.life.process is None or state.life.status.closed:
        return None
    return alignment(state, processes.get(state.life.process), at)


def _visits(state: DealState) -> list[Visit]:
    visits = state.stages.visits
    left = [*(visit.entered_at for visit in visits[1:]), state.life.closed_at]
    return [
        Visit(visit.stage, written(visit.entered_at), optional_instant(end), visit.version)
        for visit, end in zip(visits, left, strict=False)
    ]


_SHOWN_ELSEWHERE = {"opening", "team", "attestations"}


def _on_record(frames: Sequence[Frame], names: Names) -> list[OnRecord]:
    by_version = {frame.event.version: frame for frame in frames}
    found = []
    standing = sorted(_events_in(frames[-1].after), key=lambda found: fold_order(found[1]))
    for part, event in standing:
        frame = by_version[event.version]
        what = spoken(event.type, describe(frame.event, frame.before), names)
        found.append(
            OnRecord(
                part,
                event.version,
                written(event.occurred_at),
                names.user(event.actor),
                what,
                event.fact,
            )
        )
    return found


def _events_in(state: DealState) -> Iterator[tuple[str, Recorded[DealFact]]]:
    """The events that the parts of the state keep, by the field they are kept in."""
    parts = (getattr(state, name) for name in state.__struct_fields__)
    for part in (one for one in parts if one is not None):
        for name in part.__struct_fields__:
            if name not in _SHOWN_ELSEWHERE:
                yield from ((name, event) for event in _events(getattr(part, name)))


def _events(value: object) -> Iterator[Recorded[DealFact]]:
    match value:
        case Recorded():
            yield value
        case tuple():
            for item in value:
                yield from _events(item)
        case msgspec.Struct():
            for name in value.__struct_fields__:
                yield from _events(getattr(value, name))
        case _:
            return
