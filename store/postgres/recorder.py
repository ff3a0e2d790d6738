"""Writes and reads the rows of a log on PostgreSQL.

See `store.recorder.Recorder` for what the methods promise.

Positions are given inside the append's transaction, under an advisory lock that
is held until it has committed. So the order of positions is that of commits,
there are no gaps, and a reader who has seen a position has seen all before it;
docs/adr/0013 has what else was measured. Few rows go by one call of the function
`append`, in one round trip, those of threads that wait together; one row alone by
`append_one`, which takes less; many rows go by COPY. Each of them notifies whoever
waits for appends (`store.postgres.waking`).

The hash of an event's bytes is its leaf in the Merkle log. It is written in the
transaction of the append, apart from the event: many leaves into the tiles that
they fill, few ones, and what is left of many, into the table of the edge. From
there they move when their tile is full, in one transaction, after the append that
filled it has committed; whoever reads a tile that a crash kept from being written
writes it then. So at each moment a leaf stands in one of the two, and the tile
counts where there is one.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, LiteralString
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
)

from store.errors import StoreError
from store.postgres import connections, together
from store.postgres import statements as sql
from store.postgres.address import Database
from store.postgres.connections import Cursor, LogDatastore
from store.postgres.hashes import Hashes, seal, unwritten_tiles, write_tiles
from store.postgres.tables import channel, lock_id
from store.postgres.values import in_columns, one_number
from store.recorder import (
    Append,
    CheckpointRow,
    CommandRow,
    Edge,
    Place,
    PlacedRow,
    Row,
    Standing,
    damaged_hashes,
    merged,
)
from store.seals.merkle import ProofError, leaf_hash
from store.seals.tiles import TILE_BYTES, TILE_WIDTH

FEW_ROWS = 64
"""Up to so many go by the function, more by COPY, which is faster from about here on."""

_COMMAND_PART = 1
"""Marks the row of the command in SELECT_STANDING."""

_NO_COMMAND = (None,) * len(CommandRow._fields)
_STREAMS_PER_STATEMENT = 500
_COMMANDS_AT_ONCE = 1_000
_LARGEST_POSITION = 2**63 - 1


class LogRecorder(ApplicationRecorder):
    """A `store.recorder.Recorder`; the library's own calls go through the same rows."""

    def __init__(self, datastore: LogDatastore) -> None:
        self.datastore = datastore
        schema = datastore.database.schema
        self._lock = lock_id("log", schema)
        self._channel = channel(schema)
        self._tiles_lock = lock_id("tiles", schema)
        self._checkpoints_lock = lock_id("checkpoints", schema)
        self._together = together.Together(self._write_together, FEW_ROWS)

    @contextmanager
    def transaction(self) -> Iterator[Append]:
        heads: list[tuple[int, int]] = []
        with self.datastore.transaction(self._lock) as cursor:

            def append(rows: Iterable[Row], command: CommandRow | None = None) -> int:
                rows = list(rows)
                preceding = _preceding(rows)
                if len(rows) > FEW_ROWS:
                    return self._append_many(cursor, rows, preceding, command)
                head = self._append(cursor, [together.Append(rows, command)])
                heads.append((head - len(rows), head))
                return head

            yield append
        for before, head in heads:
            self._fill_tiles_between(before, head)

    def append(self, rows: Iterable[Row], command: CommandRow | None = None) -> int:
        rows = list(rows)
        if len(rows) > FEW_ROWS:
            with self.transaction() as append:
                return append(rows, command)
        _preceding(rows)
        head = self._together.append(together.Append(rows, command))
        self._fill_tiles_between(head - len(rows), head)
        return head

    def _write_together(self, some: Sequence[together.Append]) -> int:
        with self.datastore.using() as cursor:
            return self._append(cursor, some)

    def _append(self, cursor: Cursor, some: Sequence[together.Append]) -> int:
        """Append few rows in one round trip. Answers the last position."""
        if len(some) == 1 and len(some[0].rows) == 1:
            [row], command = some[0].rows, some[0].command
            values = (self._lock, *row, leaf_hash(row[3]), *(command or _NO_COMMAND))
            return one_number(cursor.execute(sql.APPEND_ONE, values))
        events = [(*row, leaf_hash(row[3])) for one in some for row in one.rows]
        commands = [one.command for one in some if one.command is not None]
        columns = (
            *in_columns(sorted(_preceding_any(some)), 2),
            *in_columns(events, 5),
            *in_columns(commands, len(CommandRow._fields)),
        )
        return one_number(cursor.execute(sql.APPEND, (self._lock, *columns)))

    def _append_many(
        self,
        cursor: Cursor,
        rows: Sequence[Row],
        preceding: Sequence[tuple[str, int]],
        command: CommandRow | None,
    ) -> int:
        """Append many rows, in a transaction that has the lock. Answers the last position."""
        before = _copy(cursor, rows, preceding, command)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (self._tiles_lock,))
        with damaged_hashes():
            while write_tiles(cursor, before):
                pass
            seal(cursor, before, [leaf_hash(state) for _, _, _, state in rows])
        cursor.execute(sql.NOTIFY, (self._channel,))
        return before + len(rows)

    def command(self, principal: str, command_id: str) -> CommandRow | None:
        with self.datastore.using() as cursor:
            row = cursor.execute(sql.SELECT_COMMAND, (principal, command_id)).fetchone()
        return None if row is None else CommandRow(*row)

    def standing(
        self,
        principal: str,
        command_id: str,
        stream: str,
        after: int,
        *,
        kinds: Collection[str],
        known: int,
    ) -> Standing:
        asked = (known, known, ",".join(kinds), principal, command_id, stream, after)
        with self.datastore.using() as cursor:
            found = cursor.execute(sql.SELECT_STANDING, asked).fetchall()
        (_, _, head, changed, _, _), *more = found
        command = None
        if more and more[0][0] == _COMMAND_PART:
            _, named, first, last, recorded_at, fingerprint = more.pop(0)
            command = CommandRow(
                principal, command_id, fingerprint, named, first, last, recorded_at
            )
        rows = [(stream, version, topic, state) for _, _, version, _, topic, state in more]
        return Standing(command, stream, after, rows, head, known, bool(changed))

    def commands(self, after: tuple[str, str] = ("", "")) -> Iterator[CommandRow]:
        last = after
        while True:
            with self.datastore.using() as cursor:
                found = cursor.execute(sql.SELECT_COMMANDS, (*last, _COMMANDS_AT_ONCE)).fetchall()
            if not found:
                return
            yield from (CommandRow(*row) for row in found)
            last = found[-1][:2]

    def clear_fingerprints(
        self, events: Iterable[tuple[str, int]], streams: Iterable[str] = ()
    ) -> int:
        told = list(events)
        names, versions = [stream for stream, _ in told], [version for _, version in told]
        with self.datastore.using() as cursor:
            cleared = cursor.execute(sql.CLEAR_FINGERPRINTS, (names, versions)).rowcount
            return cleared + cursor.execute(sql.CLEAR_QUIET, (list(streams),)).rowcount

    def rows(self, stream: str, after: int = 0) -> list[Row]:
        with self.datastore.using() as cursor:
            return cursor.execute(sql.SELECT_STREAM, (stream, after)).fetchall()

    def event(self, stream: str, version: int) -> tuple[int, bytes] | None:
        with self.datastore.using() as cursor:
            return cursor.execute(sql.SELECT_EVENT, (stream, version)).fetchone()

    def rows_of(self, streams: Iterable[str]) -> Iterator[Row]:
        names = sorted(set(streams))
        for start in range(0, len(names), _STREAMS_PER_STATEMENT):
            some = names[start : start + _STREAMS_PER_STATEMENT]
            with self.datastore.using() as cursor:
                found = cursor.execute(sql.SELECT_STREAMS, (some,)).fetchall()
            yield from found

    def feed(self, after: int, limit: int) -> list[tuple[int, str, int, str, bytes]]:
        with self.datastore.using() as cursor:
            return cursor.execute(sql.SELECT_FEED, (after, limit)).fetchall()

    def places(self, after: int, limit: int) -> list[Place]:
        with self.datastore.using() as cursor:
            return [Place(*row) for row in cursor.execute(sql.SELECT_PLACES, (after, limit))]

    def placed(self, streams: Iterable[str]) -> Iterator[PlacedRow]:
        names = sorted(set(streams))
        for start in range(0, len(names), _STREAMS_PER_STATEMENT):
            some = names[start : start + _STREAMS_PER_STATEMENT]
            with self.datastore.using() as cursor:
                found = cursor.execute(sql.SELECT_PLACED, (some,)).fetchall()
            yield from found

    def scan(self, behind: tuple[str, int], before: str, limit: int) -> list[PlacedRow]:
        with self.datastore.using() as cursor:
            return cursor.execute(sql.SCAN, (*behind, before, limit)).fetchall()

    def streams_at(self, positions: Collection[int]) -> list[str]:
        with self.datastore.using() as cursor:
            found = cursor.execute(sql.SELECT_STREAMS_AT, (list(positions),)).fetchall()
        return [name for (name,) in found]

    def version(self, stream: str) -> int:
        with self.datastore.using() as cursor:
            return one_number(cursor.execute(sql.SELECT_HEAD, (stream,)))

    def positions(self, stream: str) -> dict[int, int]:
        with self.datastore.using() as cursor:
            return dict(cursor.execute(sql.SELECT_POSITIONS, (stream,)).fetchall())

    def names(self, kind: str) -> list[str]:
        with self.datastore.using() as cursor:
            found = cursor.execute(sql.SELECT_NAMES, _bounds(kind)).fetchall()
        return [name for (name,) in found]

    def count(self, kind: str) -> int:
        with self.datastore.using() as cursor:
            return one_number(cursor.execute(sql.COUNT_KIND, _bounds(kind)))

    def holds(self, kinds: Collection[str], after: int) -> bool:
        with self.datastore.using() as cursor:
            asked = (after, [str(kind) for kind in kinds])
            return bool(one_number(cursor.execute(sql.EXISTS_OF_KIND, asked)))

    def head(self) -> int:
        with self.datastore.using() as cursor:
            return one_number(cursor.execute(sql.SELECT_LAST_POSITION))

    def head_at_hand(self) -> int | None:
        """It always takes the network."""
        return None

    # The Merkle log.

    def tile(self, level: int, number: int) -> bytes | None:
        found = self._tile(level, number)
        if found is None or len(found) < TILE_BYTES:
            self._fill_tiles()
            found = self._tile(level, number)
        return found

    def _tile(self, level: int, number: int) -> bytes | None:
        with self.datastore.using() as cursor:
            return Hashes(cursor).tile(level, number)

    def leaves(self, first: int, last: int) -> Sequence[bytes]:
        with self.datastore.using() as cursor:
            return Hashes(cursor).leaves(first, last)

    def edge(self) -> Edge:
        with self.datastore.using() as cursor:
            row = cursor.execute(sql.SELECT_EDGE_EXTENT).fetchone()
        assert row is not None
        return Edge(*row)

    def _fill_tiles(self) -> None:
        """Move all leaves of the edge whose tile is full into it.

        Where hashes are missing that this needs, tiles stay missing, which whoever
        asks for them tells.
        """
        with self.datastore.using() as cursor:
            head = one_number(cursor.execute(sql.SELECT_LAST_POSITION))
            left = bool(unwritten_tiles(cursor, head))
        with suppress(ProofError):
            while left:
                with self.datastore.transaction(self._tiles_lock) as cursor:
                    left = write_tiles(cursor, head)

    def _fill_tiles_between(self, before: int, head: int) -> None:
        """The same, where the leaves behind `before` filled one.

        The append has been committed: it must not seem to have failed, and whoever
        reads a tile that is missing writes it.
        """
        if before // TILE_WIDTH < head // TILE_WIDTH:
            with suppress(StoreError):
                self._fill_tiles()

    def keep_checkpoint(self, checkpoint: CheckpointRow) -> None:
        with self.datastore.transaction(self._checkpoints_lock) as cursor:
            row = cursor.execute(sql.SELECT_CHECKPOINT, (checkpoint.size,)).fetchone()
            kept = None if row is None else CheckpointRow(*row)
            cursor.execute(sql.INSERT_CHECKPOINT, merged(kept, checkpoint))

    def checkpoint(self, size: int) -> CheckpointRow | None:
        return self._checkpoint(sql.SELECT_CHECKPOINT, (size,))

    def last_checkpoint(self) -> CheckpointRow | None:
        return self._checkpoint(sql.SELECT_LAST_CHECKPOINT, ())

    def _checkpoint(self, statement: LiteralString, values: Sequence[int]) -> CheckpointRow | None:
        with self.datastore.using() as cursor:
            row = cursor.execute(statement, values).fetchone()
        return None if row is None else CheckpointRow(*row)

    def checkpoints(self) -> list[CheckpointRow]:
        with self.datastore.using() as cursor:
            return [CheckpointRow(*row) for row in cursor.execute(sql.SELECT_CHECKPOINTS)]

    # The store.

    def properties(self) -> dict[str, str]:
        with self.datastore.using() as cursor:
            return dict(cursor.execute(sql.SELECT_PROPERTIES).fetchall())

    def foreign(self) -> list[str]:
        with self.datastore.using() as cursor:
            return connections.foreign(cursor, self.datastore.database)

    def require_up_to_date(self) -> None:
        with self.datastore.using() as cursor:
            connections.require_up_to_date(cursor, self.datastore.database)

    def size_bytes(self) -> int:
        with self.datastore.using() as cursor:
            return int(one_number(cursor.execute(sql.SELECT_SIZE)))

    def purge(self) -> None:
        """Write the table of commands anew, and give the old one back to the file system.

        Fingerprints stay in the server's write-ahead log until it is recycled.
        """
        with self.datastore.using() as cursor:
            cursor.execute("VACUUM (FULL) commands")

    # What the library calls.

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int]:
        if kwargs:
            raise TypeError(f"the log keeps events only, not {', '.join(kwargs)}")
        rows = [
            (str(e.originator_id), e.originator_version, e.topic, e.state) for e in stored_events
        ]
        last = self.append(rows)
        return range(last - len(rows) + 1, last + 1)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        rows = self.rows(str(originator_id), gt or 0)
        chosen = [row for row in rows if lte is None or row[1] <= lte]
        if desc:
            chosen.reverse()
        return [StoredEvent(*row) for row in chosen[:limit]]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = 0 if start is None else start - inclusive_of_start
        upto = _LARGEST_POSITION if stop is None else stop
        chosen = list(topics) or None
        with self.datastore.using() as cursor:
            asked = (after, upto, chosen, chosen, limit)
            found = cursor.execute(sql.SELECT_NOTIFICATIONS, asked).fetchall()
        return [
            Notification(stream, version, topic, state, position)
            for position, stream, version, topic, state in found
        ]

    def max_notification_id(self) -> int | None:
        return self.head() or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        raise NotImplementedError("the log is followed by its feed")


def _copy(
    cursor: Cursor,
    rows: Sequence[Row],
    preceding: Sequence[tuple[str, int]],
    command: CommandRow | None,
) -> int:
    """Write many rows without their leaves. Answers the last position before them."""
    before = one_number(cursor.execute(sql.SELECT_LAST_POSITION))
    gap = cursor.execute(sql.SELECT_GAP, in_columns(preceding, 2)).fetchone()
    if gap is not None:
        raise IntegrityError(f"{gap[0]} has no version {gap[1]}")
    if command is not None:
        cursor.execute(sql.INSERT_COMMAND, command)
    with cursor.copy(sql.COPY) as copy:
        copy.set_types(sql.COPIED_TYPES)
        for position, row in enumerate(rows, start=before + 1):
            copy.write_row((position, *row))
    return before


def _preceding(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """The versions that must be there before these rows are appended.

    Raises IntegrityError where rows of one stream do not follow each other.
    """
    preceding: list[tuple[str, int]] = []
    last: dict[str, int] = {}
    for stream, version, _, _ in rows:
        before = last.get(stream)
        if version < 1 or before not in {None, version - 1}:
            raise IntegrityError(f"version {version} of {stream} does not follow {before or 0}")
        if before is None and version > 1:
            preceding.append((stream, version - 1))
        last[stream] = version
    return preceding


def _preceding_any(some: Sequence[together.Append]) -> set[tuple[str, int]]:
    """The same of appends in one transaction, where one may follow another."""
    missing: set[tuple[str, int]] = set()
    added: set[tuple[str, int]] = set()
    for one in some:
        missing.update(set(_preceding(one.rows)) - added)
        added.update(row[:2] for row in one.rows)
    return missing


def _bounds(kind: str) -> tuple[str, str]:
    return f"{kind}:", f"{kind};"


class LogFactory(InfrastructureFactory[TrackingRecorder]):
    """Builds the recorder of a log for the library's Application."""

    def __init__(self, database: Database) -> None:
        super().__init__({})
        self.datastore = LogDatastore(database)

    def application_recorder(self) -> LogRecorder:
        return LogRecorder(self.datastore)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        raise NotImplementedError("the log keeps events, not snapshots")

    def process_recorder(self) -> ProcessRecorder:
        raise NotImplementedError("read models are kept apart from the log")

    def tracking_recorder(
        self, tracking_recorder_class: type[Any] | None = None
    ) -> TrackingRecorder:
        raise NotImplementedError("read models are kept apart from the log")

    def close(self) -> None:
        self.datastore.close()
