"""Another version of a process, tried on the deals that ran under it.

Of each deal: which of its moves forward would have needed an override, because a gate was not met
by then or stages lay between; which of its stages there would not be; and what would be forecast
of it. The gates are judged by what each deal held at the time of the move.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.deal import Deal, DealEvent
from domain.gates import gate_state, win_probability
from domain.lifecycle import Status
from domain.process import ProcessBook, SalesProcess
from domain.stages.facts import StageAdvanced
from domain.values import Money
from projections.frames import Frame, frames_of


class Needed(msgspec.Struct, frozen=True):
    """What a move would have needed an override for. Empty on both counts: it would have none."""

    missing: tuple[str, ...] = ()
    """Criteria of the gate of the stage left that were not met by then."""
    skipped: tuple[str, ...] = ()
    """Stages between, which were not entered."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.skipped)


class JudgedMove(msgspec.Struct, frozen=True):
    """A move forward under both versions of the process."""

    deal: str
    reference: str | None
    version: int
    occurred_at: datetime
    from_: str
    to: str
    overridden: bool
    """It was made by an override."""
    old: Needed | None
    """Under the version that the deal ran under; None: that has no such stages."""
    new: Needed | None
    """Under the other version; None: that has no such stages."""


class DealForecast(msgspec.Struct, frozen=True):
    """An open deal with what is forecast of it, under both versions. Probability in per cent."""

    deal: str
    name: str
    reference: str | None
    process: str
    stage: str
    currency: str
    amount: Money | None
    old_probability: int | None
    new_probability: int | None
    """None: the stage is not in the other version, and nothing overrides its probability."""

    @property
    def old_weighted(self) -> Decimal:
        return _weighted(self.amount, self.old_probability)

    @property
    def new_weighted(self) -> Decimal:
        return _weighted(self.amount, self.new_probability)


class CurrencyForecast(msgspec.Struct, frozen=True):
    """The open deals in one currency together. What is not known adds nothing, and is counted."""

    currency: str
    deals: int
    amount: Decimal
    old_weighted: Decimal
    new_weighted: Decimal
    unknown_amount: int
    unknown_probability: int
    """Of the deals, those without a probability under the other version."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    judged: int
    """Deals under a version of the process."""
    other_process: int
    """Deals left out, since they run under another process."""
    merged: int
    """Deals left out, since they are duplicates of others."""
    moves: tuple[JudgedMove, ...]
    """Every move forward, by deal and in order of occurrence."""
    unknown_stages: dict[str, int]
    """Stages that are not in the other version, and how many deals stood in them at some time."""
    forecast: tuple[DealForecast, ...]
    totals: tuple[CurrencyForecast, ...]


class _OneDeal(msgspec.Struct, frozen=True):
    moves: list[JudgedMove]
    stages: set[str]
    forecast: DealForecast | None


def tried_on(
    deals: Iterable[tuple[str, Sequence[DealEvent]]],
    process: SalesProcess,
    processes: ProcessBook,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Trial:
    """Try another version of a process on deals, given as their ids and all of their events."""
    judged: list[_OneDeal] = []
    other, merged = 0, 0
    for deal_id, events in deals:
        frames = frames_of(events, as_of, known_at)
        state = frames[-1].after if frames else Deal()
        if state.life.process is None:
            continue
        if state.life.process.id != process.id:
            other += 1
        elif state.life.status is Status.MERGED:
            merged += 1
        else:
            judged.append(_one_deal(deal_id, frames, process, processes))
    unknown = Counter(stage for one in judged for stage in one.stages)
    forecast = tuple(one.forecast for one in judged if one.forecast is not None)
    return Trial(
        judged=len(judged),
        other_process=other,
        merged=merged,
        moves=tuple(move for one in judged for move in one.moves),
        unknown_stages=dict(sorted(unknown.items())),
        forecast=forecast,
        totals=_totals(forecast),
    )


def _one_deal(
    deal_id: str, frames: Sequence[Frame], process: SalesProcess, processes: ProcessBook
) -> _OneDeal:
    under_it = [frame for frame in frames if _runs_under(frame.after, process.id)]
    stood_in = {frame.after.stages.stage or "" for frame in under_it}
    return _OneDeal(
        [
            _judged_move(deal_id, frames[-1].after.life.reference, frame, process, processes)
            for frame in under_it
            if isinstance(frame.event.fact, StageAdvanced) and _runs_under(frame.before, process.id)
        ],
        {stage for stage in stood_in if process.position(stage) is None},
        _forecast(deal_id, frames[-1], process, processes),
    )


def _runs_under(deal: Deal, process_id: str) -> bool:
    return deal.life.process is not None and deal.life.process.id == process_id


def _judged_move(
    deal_id: str,
    reference: str | None,
    frame: Frame,
    process: SalesProcess,
    processes: ProcessBook,
) -> JudgedMove:
    fact, before = frame.event.fact, frame.before
    assert isinstance(fact, StageAdvanced)
    assert before.life.process is not None
    return JudgedMove(
        deal=deal_id,
        reference=reference,
        version=frame.event.version,
        occurred_at=frame.event.occurred_at,
        from_=fact.from_,
        to=fact.to,
        overridden=fact.override is not None,
        old=_needed(fact, frame, processes.get(before.life.process)),
        new=_needed(fact, frame, process),
    )


def _needed(fact: StageAdvanced, frame: Frame, process: SalesProcess) -> Needed | None:
    here, there = process.position(fact.from_), process.position(fact.to)
    if here is None or there is None:
        return None
    gate = gate_state(frame.before, process.stages[here], frame.at)
    return Needed(gate.missing, tuple(stage.id for stage in process.stages[here + 1 : there]))


def _forecast(
    deal_id: str, last: Frame, process: SalesProcess, processes: ProcessBook
) -> DealForecast | None:
    """Of an open deal. Where a probability waits for a gate, that is judged by the last event."""
    deal, life = last.after, last.after.life
    if life.status is not Status.OPEN:
        return None
    assert life.process is not None
    return DealForecast(
        deal=deal_id,
        name=life.name or "",
        reference=life.reference,
        process=str(life.process),
        stage=deal.stages.stage or "",
        currency=life.currency or "",
        amount=deal.amount,
        old_probability=win_probability(deal, processes.get(life.process), last.at),
        new_probability=win_probability(deal, process, last.at),
    )


def _weighted(amount: Money | None, probability: int | None) -> Decimal:
    """Exact: two digits more than the amount has."""
    if amount is None or probability is None:
        return Decimal()
    return (amount.amount * probability).scaleb(-2)


def _totals(forecast: Sequence[DealForecast]) -> tuple[CurrencyForecast, ...]:
    return tuple(
        CurrencyForecast(
            currency=currency,
            deals=len(those),
            amount=sum((one.amount.amount for one in those if one.amount), Decimal()),
            old_weighted=sum((one.old_weighted for one in those), Decimal()),
            new_weighted=sum((one.new_weighted for one in those), Decimal()),
            unknown_amount=sum(one.amount is None for one in those),
            unknown_probability=sum(one.new_probability is None for one in those),
        )
        for currency in sorted({one.currency for one in forecast})
        for those in [[one for one in forecast if one.currency == currency]]
    )
