"""Events into rows: live, a batch of the log at a time, and in bulk, stream by stream.

A stream that a model cannot take in is parked: the model has no rows of it, the
others do, and its next event tries again. Since rows follow from the stream's
events alone, that too comes out the same live and in bulk.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, Table, delete, select

from domain.history import StreamKind
from domain.process import ProcessBook
from projections.models import ReadModel, Row, Rows, Told
from projections.tables import parked, stream_counts
from projections.views import BadRows, Generation
from store.recorder import Place
from store.tail import Stream, Tail

EVENTS_AT_ONCE = 5_000
"""Events in memory, beyond those of one stream."""

_LONGEST_ERROR = 500
_NAMES_PER_STATEMENT = 500
_BEHIND_ALL = 2**63
_PROCESSES = f"{StreamKind.PROCESS}:"


class Writing(msgspec.Struct, frozen=True):
    """A transaction in which models take in streams."""

    generation: Generation
    connection: Connection
    models: Sequence[ReadModel]
    processes: ProcessBook

    def alone(self, model: ReadModel) -> "Writing":
        """The same for one model."""
        return msgspec.structs.replace(self, models=[model])


class Taken(msgspec.Struct, frozen=True):
    """What models made of some streams."""

    added: dict[Table, list[Row]]
    replaced: dict[str, list[str | int]]
    """By model: the deals whose rows are replaced, or the positions of the events."""
    parked: list[Row]


def apply(
    writing: Writing, tail: Tail, places: Sequence[Place], *, one_by_one: bool = False
) -> None:
    """Have models take in events that follow what they have read.

    Raises BadRows where the database refuses a row; `one_by_one`, in a transaction
    of its own, finds whose row it is and parks that stream.
    """
    first_new: dict[str, int] = {}
    for place in places:
        first_new.setdefault(place.stream, place.version)
    for some in chunks(tail.streams(first_new, places[-1].position)):
        if one_by_one:
            store_alone(writing, some)
        else:
            told = [(stream, first_new[stream.name]) for stream in some]
            _store(writing, told, _parked_among(writing, [stream.name for stream in some]))
    if any(place.stream.startswith(_PROCESSES) for place in places):
        # What was parked may have waited for a process.
        store_alone(writing, tail.streams(_all_parked(writing), places[-1].position))
    if any(stream_counts in model.TABLES for model in writing.models):
        _count(writing, places)


def store_alone(writing: Writing, streams: Iterable[Stream], *, known: bool = True) -> None:
    """Have models take in whole streams anew, one after the other, parked where a row is bad.

    `known` streams may have rows, which are replaced.
    """
    for stream in streams:
        told = [(stream, _BEHIND_ALL if known else 1)]
        for model in writing.models:
            waiting = {(model.NAME, stream.name)}
            writing.connection.exec_driver_sql("SAVEPOINT alone")
            try:
                _store(writing.alone(model), told, waiting)
            except BadRows as error:
                writing.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT alone")
                _store(writing.alone(_Refusing(model, error)), told, waiting)
            writing.connection.exec_driver_sql("RELEASE SAVEPOINT alone")


def chunks(streams: Iterable[Stream]) -> Iterator[list[Stream]]:
    """Streams in groups of about EVENTS_AT_ONCE events."""
    some: list[Stream] = []
    events = 0
    for stream in streams:
        some.append(stream)
        events += len(stream.events)
        if events >= EVENTS_AT_ONCE:
            yield some
            some, events = [], 0
    if some:
        yield some


def take(
    models: Sequence[ReadModel],
    told: Iterable[tuple[Stream, int]],
    processes: ProcessBook,
    waiting: set[tuple[str, str]],
) -> Taken:
    """The rows that models make of streams, each beside the version of its first new event."""
    taken = Taken({table: [] for model in models for table in model.TABLES}, {}, [])
    for stream, first_new in told:
        before = first_new - 1
        new = sum(event.version < first_new for event in stream.events)
        known = Told(stream.name, stream.events, stream.positions, processes, new)
        anew = msgspec.structs.replace(known, new=0)
        for model in models:
            if model.REPLACED_BY is not None and known.kind != StreamKind.DEAL:
                # Another kind of stream may have the id of a deal, whose rows are not its own.
                continue
            waits = (model.NAME, stream.name) in waiting or bool(stream.unreadable)
            rows, error = _rows(model, anew if waits else known, stream)
            if before and (waits or error or model.REPLACED_BY is not None):
                keys = [known.identifier] if model.REPLACED_BY is not None else stream.places
                taken.replaced.setdefault(model.NAME, []).extend(keys)
            if error is not None:
                taken.parked.append(_parked_row(model, stream, error))
            for table, some in rows.items():
                taken.added[table].extend(some)
    return taken


def _rows(model: ReadModel, told: Told, stream: Stream) -> tuple[Rows, Exception | None]:
    """The rows of a stream, and why it is parked, where it is.

    Of a model that adds rows for events, those that can be read have theirs all the same.
    """
    unreadable = stream.unreadable[0] if stream.unreadable else None
    if unreadable is not None and model.REPLACED_BY is not None:
        return {}, unreadable
    try:
        return model.rows(told), unreadable
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the others.
        return {}, error


def _parked_row(model: ReadModel, stream: Stream, error: Exception) -> Row:
    position = max([*stream.positions[-1:], *(e.position or 0 for e in stream.unreadable[-1:])])
    version = max([*(e.version for e in stream.events[-1:]),
                   *(e.version for e in stream.unreadable[-1:])])  # fmt: skip
    said = f"{type(error).__name__}: {error}".replace("\0", "")[:_LONGEST_ERROR]
    said = said.encode(errors="backslashreplace").decode()
    return (model.NAME, stream.name, version, position, said, time.time_ns() // 1_000)


def _store(
    writing: Writing, told: Sequence[tuple[Stream, int]], waiting: set[tuple[str, str]]
) -> None:
    """Have models take in streams, those that are `waiting` anew."""
    taken = take(writing.models, told, writing.processes, waiting)
    for model in writing.models:
        keys = taken.replaced.get(model.NAME)
        column = model.REPLACED_BY.name if model.REPLACED_BY is not None else "position"
        for table in model.TABLES if keys else ():
            if column in table.columns:
                writing.generation.delete_rows(writing.connection, table, column, keys or ())
    named = [(model.NAME, stream.name) for model in writing.models for stream, _ in told]
    for model_name, stream_name in waiting.intersection(named):
        held = (parked.c.model == model_name, parked.c.stream == stream_name)
        writing.connection.execute(delete(parked).where(*held))
    write(writing.generation, writing.connection, taken)


def write(generation: Generation, connection: Connection, taken: Taken) -> None:
    """Add the rows that models made. Raises BadRows."""
    for table, rows in taken.added.items():
        if rows:
            generation.add_rows(connection, table, rows)
    if taken.parked:
        generation.add_rows(connection, parked, taken.parked)


class _Refusing:
    """A model whose rows the database refuses, as one that fails."""

    def __init__(self, model: ReadModel, error: BadRows) -> None:
        self.NAME, self.VERSION, self.TABLES = model.NAME, model.VERSION, model.TABLES
        self.REPLACED_BY = model.REPLACED_BY
        self._error = error

    def rows(self, _: Told) -> Rows:
        raise self._error


def _parked_among(writing: Writing, streams: Sequence[str]) -> set[tuple[str, str]]:
    """Model and stream of those that are parked."""
    connection = writing.connection
    if connection.execute(select(parked.c.model).limit(1)).first() is None:
        return set()
    names = [model.NAME for model in writing.models]
    found: set[tuple[str, str]] = set()
    for start in range(0, len(streams), _NAMES_PER_STATEMENT):
        some = streams[start : start + _NAMES_PER_STATEMENT]
        asked = select(parked.c.model, parked.c.stream).where(parked.c.model.in_(names))
        rows = connection.execute(asked.where(parked.c.stream.in_(some)))
        found.update((row.model, row.stream) for row in rows)
    return found


def _all_parked(writing: Writing) -> list[str]:
    """The streams that are parked in one of the models."""
    names = [model.NAME for model in writing.models]
    asked = select(parked.c.stream).distinct().where(parked.c.model.in_(names))
    return list(writing.connection.execute(asked).scalars())


def _count(writing: Writing, places: Iterable[Place]) -> None:
    """Count streams and events of each kind."""
    streams, events = Counter[str](), Counter[str]()
    for place in places:
        kind = place.stream.partition(":")[0]
        events[kind] += 1
        streams[kind] += place.version == 1
    counts = {kind: (streams[kind], events[kind]) for kind in events}
    add_counts(writing.generation, writing.connection, counts)


def add_counts(
    generation: Generation, connection: Connection, counts: Mapping[str, tuple[int, int]]
) -> None:
    """Add streams and events by kind to those counted before."""
    before = {row.kind: row for row in connection.execute(select(stream_counts))}
    generation.delete_rows(connection, stream_counts, "kind", list(counts))
    rows: list[Row] = []
    for kind, (streams, events) in sorted(counts.items()):
        known = before.get(kind)
        rows.append((kind, streams + (known.streams if known else 0),
                     events + (known.events if known else 0)))  # fmt: skip
    generation.add_rows(connection, stream_counts, rows)
