"""Up to which event of the log each model has read. Written with the rows, in one transaction."""

import os
import socket
import time
from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import Connection, insert, select, update

from projections.models import ReadModel
from projections.tables import checkpoints
from store.errors import StoreError
from store.tail import Tail

# Made once: making a statement takes longer than running this one.
_ALL = select(checkpoints).order_by(checkpoints.c.model)


class Checkpoint(msgspec.Struct, frozen=True):
    """Where one model stands."""

    model: str
    version: int
    """Of the model."""
    position: int
    """In the log."""
    last_event: str
    moved_at: int
    """When, in microseconds; see `projections.instants`."""
    moved_by: str
    """By which process, as `host:number`."""


class BuiltByNewer(StoreError):
    """A newer release built the read models."""


class Unfit(Exception):
    """The read models are of another log, or of other models, and have to be made anew.

    `usable` are the names of the models that are as they should be.
    """

    def __init__(self, usable: Collection[str] = ()) -> None:
        super().__init__()
        self.usable = frozenset(usable)


def read_checkpoints(connection: Connection) -> list[Checkpoint]:
    """Where each model stands, in order of their names."""
    rows = connection.execute(_ALL)
    return [
        Checkpoint(row.model, row.model_version, row.position, row.last_event,
                   row.moved_at, row.moved_by)
        for row in rows
    ]  # fmt: skip


def write_checkpoints(
    connection: Connection, models: Iterable[ReadModel], position: int, last_event: str
) -> None:
    """These models have read up to a position.

    A row that is there is changed in place: who waits for its lock would not see another one.
    """
    named = {model.NAME: model.VERSION for model in models}
    values = {
        "position": position,
        "last_event": last_event,
        "moved_at": time.time_ns() // 1_000,
        "moved_by": this_process(),
    }
    moving = update(checkpoints).where(checkpoints.c.model.in_(named)).values(**values)
    if connection.execute(moving).rowcount == len(named):
        return
    connection.execute(
        insert(checkpoints),
        [{"model": name, "model_version": version} | values for name, version in named.items()],
    )


def fitting(
    connection: Connection, tail: Tail, models: Iterable[ReadModel]
) -> dict[str, Checkpoint]:
    """Where these models stand, by name. Raises Unfit, BuiltByNewer.

    A log that was made anew or restored from a backup has other events, and what was
    read from the one before is of no use.
    """
    found = {one.model: one for one in read_checkpoints(connection)}
    wanted = {model.NAME: model.VERSION for model in models}
    newer = [name for name, at in found.items() if at.version > wanted.get(name, at.version)]
    if newer:
        raise BuiltByNewer(
            f"the read models were built by a newer release ({', '.join(newer)})",
            "Upgrade dealstate; or run dealstate rebuild, which builds those of this release.",
        )
    at = {one.position: one.last_event for one in found.values()}
    if any(tail.name_at(position) != last_event for position, last_event in at.items()):
        raise Unfit
    usable = {name for name, version in wanted.items() if name in found
              and found[name].version == version}  # fmt: skip
    if usable != wanted.keys():
        raise Unfit(usable)
    return {name: found[name] for name in wanted}


def this_process() -> str:
    """Names this process among those of all machines."""
    return f"{socket.gethostname()}:{os.getpid()}"
