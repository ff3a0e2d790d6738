"""One store, opened: its log, its read models, its clock and time zone. Both edges use it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from projections.engine import Progress, catch_up
from projections.views import Views
from store.location import Location
from store.log import Clock, DealLog, utc_now
from store.notary import Notary

if TYPE_CHECKING:
    from sqlalchemy import Connection

DEFAULT_DB = "sqlite:///dealstate.db"
DEFAULT_TIMEZONE = "UTC"


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
        return cls(log, Views(location.views), zone, clock, progress)

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
        store = cls(DealLog.create(location, clock), Views(location.views), zone, clock, progress)
        store.notary.checkpoint()
        return store

    @cached_property
    def notary(self) -> Notary:
        """Makes checkpoints, receipts and proofs of the log."""
        return Notary(self.log.records, self.log.keys, self.now)

    @property
    def location(self) -> Location:
        return self.log.location

    @contextmanager
    def fresh(self) -> Iterator["Connection"]:
        """The read models, caught up with the log, as one consistent snapshot."""
        catch_up(self.views, self.log, progress=self.progress)
        with self.views.reading() as connection:
            yield connection

    def close(self) -> None:
        self.views.close()
        self.log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
