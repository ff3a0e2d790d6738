"""One store, opened: its log, its read models, its clock and time zone. Both edges use it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

import msgspec

from api.accesses import Noting
from domain.history import StreamKind
from projections.calendar import Calendar
from projections.columns import Columns
from projections.engine.catching_up import Progress
from projections.engine.keeping_up import caught_up
from projections.views import Views, open_views
from store.location import Location
from store.log import DealLog
from store.notary import Notary
from store.tail import Tail
from store.times import Clock, utc_now

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projections.cohort.stored import StoredPortfolio
    from projections.cohort.upkeep import Upkeep
    from projections.findings.settings import Settings
    from store.outbox import Outbox

DEFAULT_DB = "sqlite:///dealstate.db"
DEFAULT_TIMEZONE = "UTC"

_LONGEST_STREAM = 300
_VERSION = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_NO_EVENT = "it is not of the form stream@version, as in deal:d-1@7"


class Awaited(msgspec.Struct, frozen=True):
    """An event that an answer has to include: what a write returned."""

    stream: str
    version: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `stream@version`, as in deal:d-1@7. Raises ValueError."""
        stream, at, number = text.rpartition("@")
        kind, colon, identifier = stream.partition(":")
        fits = at and colon and kind in set(StreamKind) and identifier and "\0" not in stream
        if not fits or len(stream) > _LONGEST_STREAM or not _VERSION.fullmatch(number):
            raise ValueError(_NO_EVENT)
        return cls(stream, int(number))

    def __str__(self) -> str:
        return f"{self.stream}@{self.version}"


class NotRecorded(LookupError):
    """An event that was waited for is not in the log."""

    def __init__(self, awaited: Awaited) -> None:
        super().__init__(f"the log has no event {awaited}")


class Workspace:
    """A store in use. Safe to use from many threads; close it when done."""

    def __init__(
        self,
        log: DealLog,
        views: Views,
        zone: ZoneInfo,
        clock: Clock = utc_now,
        progress: Progress | None = None,
    ) -> None:
        self.log = log
        self.views = views
        self.zone = zone
        self.now = clock
        self.progress = progress
        """Told how far the read models are when they have much to read."""
        self.makes_models = True
        """Whether a question makes the models of the cohort estimate that it lacks; a service,
        whose answers are waited for, leaves them to `maintain_models`."""
        self.fiscal_year_from = 1
        """The month, from 1, with which the fiscal year begins."""

    @classmethod
    def open(
        cls,
        location: Location,
        zone: ZoneInfo = ZoneInfo(DEFAULT_TIMEZONE),  # noqa: B008 (immutable)
        clock: Clock = utc_now,
        progress: Progress | None = None,
        *,
        doubtful_too: bool = False,
    ) -> Self:
        """Open a store. Raises StoreError when there is none, with how to make one.

        `doubtful_too` is that of `DealLog.open`.
        """
        log = DealLog.open(location, clock, doubtful_too=doubtful_too)
        return cls(log, open_views(location), zone, clock, progress)

    @classmethod
    def create(
        cls,
        location: Location,
        zone: ZoneInfo = ZoneInfo(DEFAULT_TIMEZONE),  # noqa: B008 (immutable)
        clock: Clock = utc_now,
        progress: Progress | None = None,
    ) -> Self:
        """Make a store with its first checkpoint, and open it.

        Raises StoreError where something is there.
        """
        store = cls(DealLog.create(location, clock), open_views(location), zone, clock, progress)
        store.notary.checkpoint()
        return store

    @property
    def calendar(self) -> Calendar:
        """The fiscal calendar that figures of periods go by."""
        return Calendar(self.zone, self.fiscal_year_from)

    @cached_property
    def tail(self) -> Tail:
        """The log as the read models read it."""
        return Tail(self.log)

    @cached_property
    def accesses(self) -> Noting:
        """Notes who is shown secrets."""
        return Noting(self.log, self.now)

    @cached_property
    def outbox(self) -> "Outbox":
        """What webhooks are to send, and what became of it."""
        from store.outbox import open_outbox

        return open_outbox(self.location)

    @cached_property
    def columns(self) -> Columns:
        """The columnar copy of large stores, for questions at any date."""
        return Columns(self.location.views)

    @cached_property
    def thresholds(self) -> "Settings":
        """When the rules of the findings fire; may be set before the first question."""
        from projections.findings.settings import DEFAULTS

        return DEFAULTS

    def maintain_columns(self) -> None:
        """Make the columnar copy anew where that is due. Raises StoreError."""
        self.columns.maintain(self.views.reading)

    def maintain_models(self) -> None:
        """Make some of the models of the cohort estimate that are due.

        Raises StoreError; NotBuilt while there are no read models.
        """
        self._upkeep.step(self._portfolio, self.now())

    @cached_property
    def _upkeep(self) -> "Upkeep":
        from projections.cohort.upkeep import Upkeep

        return Upkeep(self.location.views, self.zone)

    @contextmanager
    def _portfolio(self) -> Iterator["StoredPortfolio"]:
        from projections.cohort.stored import StoredPortfolio

        with self.views.reading() as connection:
            yield StoredPortfolio(connection, self.tail)

    @cached_property
    def notary(self) -> Notary:
        """Makes checkpoints, receipts and proofs of the log."""
        return Notary(self.log.records, self.log.keys, self.now)

    @property
    def location(self) -> Location:
        return self.log.location

    @contextmanager
    def fresh(self) -> Iterator["Connection"]:
        """The read models, caught up with the log, as one consistent snapshot.

        Everything is in it that was recorded before.
        """
        with (
            self.log.watcher.step("read models"),
            caught_up(self.views, self.tail, progress=self.progress) as connection,
        ):
            yield connection

    def has(self, wanted: Awaited) -> bool:
        """Whether an event is in the log."""
        return self.tail.position(wanted.stream, wanted.version) is not None

    def close(self) -> None:
        if "outbox" in self.__dict__:
            self.outbox.close()
        self.columns.close()
        self.views.close()
        self.log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
