"""The store and its read models."""

import msgspec

from api.wire.proofs import LastCheckpoint


class ModelStatus(msgspec.Struct, frozen=True):
    """How far a read model has read the log."""

    model: str
    version: int
    position: int
    lag_events: int
    """Events it has not read yet."""


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


class Alive(msgspec.Struct, frozen=True):
    """The server answers."""

    status: str


class TableDifference(msgspec.Struct, frozen=True):
    """Rows of one table that live and rebuilt read models do not share."""

    table: str
    only_live: int
    only_rebuilt: int
    examples: list[str]


class RebuildResult(msgspec.Struct, frozen=True):
    """What a rebuild did. `differences` is null where nothing was compared."""

    events: int
    rows: dict[str, int]
    """Rows by table."""
    differences: list[TableDifference] | None
    swapped: bool
    """Whether the rebuilt read models took the place of the live ones."""
