"""The store and its read models."""

from typing import Literal

import msgspec

from api.wire.proofs import LastCheckpoint
from api.wire.values import Instant


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far a read model has read the log."""

    model: str
    version: int
    fits: bool
    """Whether its rows are of this log and this release; if not, it is built anew before it
    answers."""
    position: int
    """Of the last event it has read."""
    lag_events: int
    """Events it has not read yet."""
    lag_seconds: float | None
    """Time since the first event was recorded that it has not read; 0 where it has read all,
    null where that event cannot be read."""
    moved_at: Instant
    """When it last read on."""
    moved_by: str
    """Which process did that: the name of the machine, and the number of the process there."""
    parked: int
    """Streams that it could not take in."""


class ParkedStream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream, most often a deal, that a read model has no rows of, since it failed on them."""

    model: str
    stream: str
    called: str | None
    """The deal's reference, or its name."""
    version: int
    """Of the last event of the stream when it was tried last."""
    position: int
    """Of that event in the log."""
    error: str
    tried_at: Instant
    """When it was tried last: at its last event, or by hand."""


class StoreStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a store holds."""

    store: str
    release: str
    """Of dealstate."""
    events: int
    """In the log: position of the last one."""
    deals: int
    users: int
    processes: int
    """Versions of processes, the built-in ones included."""
    checkpoint: LastCheckpoint | None
    """The last one that is kept with the log; null where none was made."""
    log_bytes: int
    views_bytes: int
    models: list[ModelStatus]
    """None where the read models have not been built yet."""
    parked: list[ParkedStream]


class Alive(msgspec.Struct, frozen=True):
    """The server answers."""

    status: str


class Ready(msgspec.Struct, frozen=True):
    """The server can answer."""

    status: str
    checks: list[str]
    """What was looked at, and is as it should be."""


class TableDifference(msgspec.Struct, frozen=True):
    """Rows of one table that live and rebuilt read models do not share."""

    table: str
    only_live: int
    only_rebuilt: int
    examples: list[str]


class RebuildResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a rebuild did. `differences` is null where nothing was compared."""

    events: int
    """Folded."""
    seconds: float
    rows: dict[str, int]
    """Rows by table."""
    differences: list[TableDifference] | None
    swapped: bool
    """Whether the rebuilt read models took the place of the live ones."""


class RetryResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of having a read model take in a stream once more."""

    model: str
    stream: str
    outcome: Literal["taken-in", "still-parked", "not-parked"]
    error: str | None
    """Why it is still parked; else null."""
