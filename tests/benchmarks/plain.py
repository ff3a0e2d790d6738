"""The log without what protects its events: nothing is encrypted, and nothing gets a leaf.

It shows what encryption and leaves cost, and gives the floors rows that they can
decode. In all else it is the log itself, which has no switch for this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import cast

from eventsourcing.persistence import InfrastructureFactory, TrackingRecorder
from eventsourcing.utils import Environment

from domain.history import Fact, Recorded
from domain.subjects import EncryptedField
from store.events.writing import Batch, Writer, checked_stream
from store.log import DealLog
from store.recorder import Append, CommandRow, Row
from store.sqlite import recorder, statements
from store.sqlite.recorder import LogFactory, LogRecorder
from store.streams import Streams


class PlainLog(DealLog):
    """A log on SQLite whose events are stored as they are."""

    def _read_anew(self) -> Streams:
        return Streams(self.records, self.keys, self.visible, self._codec, _PlainWriter)

    def construct_factory(self, env: Environment) -> InfrastructureFactory[TrackingRecorder]:
        return cast("InfrastructureFactory[TrackingRecorder]", _PlainFactory(env))


class _PlainWriter(Writer):
    def _planned(
        self, batch: Batch, recorded_at: datetime
    ) -> Iterator[tuple[Recorded[Fact], tuple[EncryptedField, ...]]]:
        stream = checked_stream(batch.stream)
        for version, draft in enumerate(batch.drafts, start=batch.expected_version + 1):
            yield draft.recorded(stream, version, recorded_at), ()


class _PlainRecorder(LogRecorder):
    @contextmanager
    def transaction(self) -> Iterator[Append]:
        with self.datastore.writing() as cursor:

            def append(rows: Iterable[Row], command: CommandRow | None = None) -> int:
                if command is not None:
                    cursor.execute(statements.INSERT_COMMAND, command)
                with closing(cursor.connection.cursor()) as reader:
                    checked = recorder._without_gaps(reader, rows)
                    cursor.executemany(statements.INSERT_EVENT, checked)
                return recorder._number(cursor.execute(statements.SELECT_LAST_POSITION))

            yield append


class _PlainFactory(LogFactory):
    application_recorder_class = _PlainRecorder
