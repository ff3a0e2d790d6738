"""What can be said of the read models: how far each has read, and what it could not take in."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from projections.engine.checkpoints import Checkpoint, Unfit, fitting, read_checkpoints
from projections.engine.models import MODELS
from projections.tables import parked, stream_counts
from store.errors import StoreError
from store.tail import Tail

_MOST_BEHIND = 50_000
"""So many events are looked at for streams that were not counted yet."""


# Made once: making a statement takes longer than running these.
_PARKED = select(parked).order_by(parked.c.model, parked.c.stream)
_PARKED_IN = _PARKED.where(parked.c.model == bindparam("of"))


class Parked(msgspec.Struct, frozen=True):
    """One stream that one model has no rows of."""

    model: str
    stream: str
    version: int
    """Of the last event of the stream when it was tried last."""
    position: int
    """Of that event in the log."""
    error: str
    parked_at: int
    """When it was tried last, in microseconds; see `projections.instants`."""


class Standing(msgspec.Struct, frozen=True):
    """How far one model is behind the log."""

    at: Checkpoint
    fits: bool
    """Whether it is of this log and this release; else it is built anew when it is asked."""
    lag_events: int
    lag_seconds: float | None
    """How long ago the first event was recorded that it has not read. None where that event
    cannot be read."""
    parked: int


def read_standing(connection: Connection, tail: Tail, now: datetime) -> list[Standing]:
    """How far each model is, in order of their names. Catches nothing up."""
    head, usable = tail.head(), _usable(connection, tail)
    found = read_checkpoints(connection)
    lag = {one.position: _lag_seconds(tail, one.position, head, now) for one in found}
    counted = select(parked.c.model, func.count()).group_by(parked.c.model)
    parked_in = {model: count for model, count in connection.execute(counted)}  # noqa: C416
    return [
        Standing(
            one,
            one.model in usable,
            max(head - one.position, 0),
            lag[one.position],
            parked_in.get(one.model, 0),
        )
        for one in found
    ]


def _usable(connection: Connection, tail: Tail) -> frozenset[str]:
    try:
        fitting(connection, tail, MODELS)
    except Unfit as error:
        return error.usable
    except StoreError:
        return frozenset()
    return frozenset(model.NAME for model in MODELS)


def _lag_seconds(tail: Tail, position: int, head: int, now: datetime) -> float | None:
    if position >= head:
        return 0.0
    recorded_at = tail.recorded_at(position + 1)
    if recorded_at is None:
        return None
    return max(round((now - recorded_at).total_seconds(), 3), 0.0)


def read_parked(
    connection: Connection, model: str | None = None, after: int | None = None
) -> list[Parked]:
    """What is parked: in this model alone, tried behind this moment alone."""
    asked = _PARKED if model is None else _PARKED_IN
    values = {} if model is None else {"of": model}
    if after is not None:
        asked = asked.where(parked.c.parked_at > after)
    return [Parked(**row) for row in connection.execute(asked, values).mappings()]


def count_parked(connection: Connection, model: str) -> int:
    """How many streams this model could not take in."""
    asked = select(func.count()).select_from(parked).where(parked.c.model == model)
    return int(connection.execute(asked).scalar_one())


def count_streams(connection: Connection, tail: Tail) -> Mapping[str, int] | None:
    """How many streams of each kind the log has; None where the read models cannot tell."""
    try:
        [counter] = [model for model in MODELS if stream_counts in model.TABLES]
        position = fitting(connection, tail, [counter])[counter.NAME].position
    except (Unfit, StoreError):
        return None
    if tail.head() - position > _MOST_BEHIND:
        return None
    rows = connection.execute(select(stream_counts.c.kind, stream_counts.c.streams))
    counts = {str(kind): int(streams) for kind, streams in rows}
    for place in tail.places(position, _MOST_BEHIND):
        if place.version == 1:
            kind = place.stream.partition(":")[0]
            counts[kind] = counts.get(kind, 0) + 1
    return counts
