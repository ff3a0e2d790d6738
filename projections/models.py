"""What a read model is, and what it is told.

A model is a pure function from the events of one stream to rows: no clock, no
database, nothing of other streams. So its rows can be made live, event by event,
or all at once by several processes, and are the same; and where it fails for one
stream, it fails for that one alone.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeAlias, cast

import msgspec
from sqlalchemy import Column, Table

from domain.deal import DealEvent
from domain.history import Fact, Recorded, StreamKind
from domain.process import ProcessBook
from projections.frames import DealFold

Row: TypeAlias = tuple[Any, ...]
Rows: TypeAlias = Mapping[Table, Sequence[Row]]
"""Rows by table, each with a value for every column in their order."""


class Told(msgspec.Struct, frozen=True, dict=True):
    """One stream, as far as it can be read, as of its last event in a batch of the log."""

    stream: str
    events: tuple[Recorded[Fact], ...]
    """Every event, withdrawn ones too, in order of version."""
    positions: tuple[int, ...]
    """Of each event in the log."""
    processes: ProcessBook
    new: int = 0
    """How many events the models were told before."""

    @property
    def kind(self) -> str:
        """The kind of stream, as `deal`."""
        return self.stream.partition(":")[0]

    @property
    def identifier(self) -> str:
        """What the stream is the history of: the deal's id."""
        return self.stream.partition(":")[2]

    @cached_property
    def fold(self) -> DealFold | None:
        """The deal, folded once for all models; None for what is not a deal."""
        if self.kind != StreamKind.DEAL:
            return None
        return DealFold(self.identifier, cast("tuple[DealEvent, ...]", self.events), self.processes)


class ReadModel(Protocol):
    """One read model. A change of its rows or their meaning raises VERSION."""

    @property
    def NAME(self) -> str: ...  # noqa: N802
    @property
    def VERSION(self) -> int: ...  # noqa: N802
    @property
    def TABLES(self) -> tuple[Table, ...]: ...  # noqa: N802
    @property
    def REPLACED_BY(self) -> Column[Any] | None:  # noqa: N802
        """Deals: all rows with this deal's id in each of the TABLES are replaced at each event.

        None: rows are added for each new event, and stay; their column `position` names it.
        """

    def rows(self, told: Told) -> Rows:
        """The rows of one stream: all of them, or, of a model that adds, those of new events.

        Whatever it raises parks the stream in this model.
        """
