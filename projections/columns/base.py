"""A base that is open, and beside it what changed since, in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

import duckdb
import msgspec
from sqlalchemy import Connection

from domain.lifecycle import Status
from projections.columns import making
from projections.columns.coding import PLACE, About, Dictionary, columns_of, deals_of
from projections.columns.files import BaseFile, Damaged
from projections.columns.making import KNOWN_DEALS, MOVING, add_deals, add_periods, quoted
from projections.columns.relation import Relation
from projections.columns.source import Stand, changed_since, changed_when_due, periods_of
from projections.figures import Part, Question, Sums

_MEMORY = "256MB"
_SUMS = "count(*), sum(priced), sum(amount), sum(weighted), sum(opened_at)"
_IN_PLACE = ("process", "stage")
_OF_PLACES = dict.fromkeys(_IN_PLACE, PLACE)
_MOST_CHANGED = 4
"""Times as many deals as make a new base due: beyond it the rows of the store answer sooner."""
_SPARE_ROWS = 50_000
"""Rows that were replaced are left in memory until there are so many."""


_REPLACED = """
INSERT INTO replaced
SELECT deal FROM base.deals SEMI JOIN (FROM moved_deals WHERE deal >= ?) USING (id)
"""


_OURS = (
    duckdb.BinderException,
    duckdb.ConversionException,
    duckdb.InterruptException,
    duckdb.OutOfRangeException,
    duckdb.ParserException,
    duckdb.SyntaxException,
)
"""Of a question, whatever the state of the base: its faults, and that it was interrupted."""


class TooFar(Exception):
    """So much has changed since the base was made that the rows of the store answer sooner."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """What DuckDB cannot do with a base: MemoryError for want of memory, else Damaged."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise MemoryError(str(error)) from error
    except _OURS:
        raise
    except (duckdb.Error, msgspec.DecodeError) as error:
        raise Damaged(f"{path}: {error}") from error


class OpenBase:
    """A base and what changed since. Not safe to refresh from two threads at once; see `asking`."""

    def __init__(self, file: BaseFile, least_changed: int) -> None:
        self.file = file
        self._least_changed = least_changed
        # What a question needs beyond the memory goes here, where nobody else can read it. The
        # folder stays as long as somebody asks.
        spill = mkdtemp(prefix="dealstate-")
        finalize(self, rmtree, spill, ignore_errors=True)
        self._connection = making.connect(_MEMORY, Path(spill))
        try:
            with translated(file.path):
                self._attach()
        except BaseException:
            self.close()
            raise
        self.position = file.position
        """Of the log, up to which changes have been read."""
        self._changed: dict[str, tuple[int, int]] = {}
        """Of each deal that changed: its number, and the position of its last event."""
        self._written = 0

    def _attach(self) -> None:
        run = self._connection.execute
        run(f"ATTACH {quoted(self.file.path)} AS base (READ_ONLY)")
        [[text]] = run("SELECT about FROM base.about").fetchall()
        about = msgspec.json.decode(text, type=About)
        expected = (making.FORM, self.file.set_id, self.file.position)
        if (about.form, about.set_id, about.position) != expected:
            raise Damaged(f"{self.file.path} is not what its name says")
        self.deals = about.deals
        self._parked = frozenset(about.parked)
        self.dictionary = Dictionary(about.dictionary)
        run(f"CREATE TABLE moved {MOVING}")
        run(f"CREATE TABLE moved_deals {KNOWN_DEALS}")
        run("CREATE TABLE replaced (deal UINTEGER)")

    @property
    def changed(self) -> int:
        """How many deals have changed since the base was made."""
        return len(self._changed)

    def refresh(self, connection: Connection, stand: Stand) -> None:
        """Read what changed up to where `connection` stands. Raises TooFar, Damaged."""
        most = _MOST_CHANGED * changed_when_due(self.deals, self._least_changed)
        changed = changed_since(connection, self.position, most + 1)
        for deal_id in stand.parked ^ self._parked:
            changed.setdefault(deal_id, stand.position)
        if changed:
            if len(self._changed.keys() | changed.keys()) > most:
                raise TooFar
            self._replace(connection, changed)
            self._compact()
        self.position, self._parked = stand.position, stand.parked

    def _replace(self, connection: Connection, changed: dict[str, int]) -> None:
        """Put the present rows of deals in place of those held so far, in one transaction."""
        numbers = {i: self._changed[i][0] for i in changed if i in self._changed}
        known, new = list(numbers.values()), [i for i in changed if i not in numbers]
        first = self.deals + len(self._changed) + 1
        numbers.update(zip(new, range(first, first + len(new)), strict=True))
        with translated(self.file.path), _transaction(self._connection) as transaction:
            transaction.execute("DELETE FROM moved WHERE deal IN (SELECT unnest(?))", [known])
            if new:
                given = deals_of(new, range(first, first + len(new)))
                add_deals(transaction, "moved_deals", given)
                transaction.execute(_REPLACED, [first])
            written = self._add_rows(transaction, "moved", connection, numbers)
        self._changed.update({i: (numbers[i], position) for i, position in changed.items()})
        self._written += written

    def _add_rows(
        self,
        into: duckdb.DuckDBPyConnection,
        table: str,
        connection: Connection,
        numbers: Mapping[str, int],
    ) -> int:
        """Add the rows of deals, which have these numbers. Answers how many rows."""
        count = 0
        for rows in periods_of(connection, numbers.keys()):
            deals = [numbers[row[0]] for row in rows]
            add_periods(into, table, columns_of(rows, deals, self.dictionary))
            count += len(rows)
        return count

    def _compact(self) -> None:
        """Rows that were replaced take room until their table is written anew."""
        if self._written <= _SPARE_ROWS:
            return
        with translated(self.file.path):
            [[held]] = self._connection.execute("SELECT count(*) FROM moved").fetchall()
            if self._written > 2 * held + _SPARE_ROWS:
                self._connection.execute("CREATE OR REPLACE TABLE moved AS FROM moved")
                self._written = held

    def asking(self, connection: Connection, stand: Stand) -> "Asking":
        """What answers exactly as of where `connection` stands, whatever is refreshed later.

        To be called by one thread at a time. Raises TooFar, Damaged, MemoryError.
        """
        if stand.position >= self.position:
            self.refresh(connection, stand)
            late: set[str] = set()
        else:
            # Another thread has read on, from a newer state of the rows than this one sees.
            late = {i for i, (_, position) in self._changed.items() if position > stand.position}
            late |= stand.parked ^ self._parked
            if not late <= self._changed.keys():
                raise TooFar
        numbers = {deal_id: self._changed[deal_id][0] for deal_id in late}
        with translated(self.file.path), ExitStack() as opened:
            cursor = opened.enter_context(closing(self._connection.cursor()))
            _begin(cursor)
            if late:
                cursor.execute(f"CREATE TEMP TABLE late {MOVING}")
                self._add_rows(cursor, "late", connection, numbers)
            opened.pop_all()
        return Asking(self, cursor, list(numbers.values()))

    def exporting(self, workshop: Path) -> "Exporting":
        """A new base of this one and what changed up to now, in a new folder.

        To be called by one thread at a time.
        """
        workshop.mkdir(parents=True)
        with translated(self.file.path):
            cursor = self._connection.cursor()
            path = making.attach(cursor, workshop)
            _begin(cursor)
        about = About(
            making.FORM,
            self.file.set_id,
            self.position,
            sorted(self._parked),
            self.deals + len(self._changed),
            self.dictionary.values(),
        )
        return Exporting(path, about, cursor)

    def close(self) -> None:
        """Close the base. Whoever is asking goes on."""
        self._connection.close()


class Asking:
    """One question to a base, in a transaction of its own."""

    def __init__(
        self, base: OpenBase, cursor: duckdb.DuckDBPyConnection, late: Sequence[int]
    ) -> None:
        self._base = base
        self._cursor = cursor
        self._late = late
        self._among = ""

    def keep(self, deal_ids: Sequence[str]) -> None:
        """Answer over these deals alone from now on. Raises Damaged, MemoryError."""
        with translated(self._base.file.path):
            self._cursor.register("kept", deals_of(deal_ids, range(len(deal_ids))))
            self._cursor.execute(
                f"CREATE TEMP TABLE readable AS SELECT deal FROM ({self._deals()})"
                " SEMI JOIN kept USING (id)"
            )
            self._cursor.unregister("kept")
        self._among = " SEMI JOIN readable USING (deal)"

    def parts(self, question: Question) -> list[Part]:
        """The sums of all parts of each group. Raises Damaged, MemoryError."""
        base = self._base
        with translated(base.file.path):
            has_changes = bool(base.changed)
            where = self._where(question)
            if where is None:
                return []
            columns = _columns(question.grouped_by)
            parts = self._sums("base.periods", columns, where, "replaced" if has_changes else "")
            if has_changes:
                parts += self._sums("moved", columns, where, "", self._late)
            if self._late:
                parts += self._sums("late", columns, where)
        return list(self._decoded(parts, columns, question.grouped_by))

    def relation(self) -> Relation:
        """All periods, or those of the deals that are kept, as one table."""
        base, among = self._base, self._among
        parts = [f"base.periods{among}"]
        if base.changed:
            numbers = ", ".join(map(str, self._late))
            late = f" WHERE deal NOT IN ({numbers})" if numbers else ""
            parts = [
                f"base.periods ANTI JOIN replaced USING (deal){among}",
                f"moved{among}{late}",
            ]
        if self._late:
            parts.append(f"late{among}")
        columns = ", ".join(making.COLUMNS)
        periods = " UNION ALL ".join(f"SELECT {columns} FROM {part}" for part in parts)
        deals = f"FROM ({self._deals()}){among}" if among else self._deals()
        sources = {"periods": periods, "deals": deals}
        return Relation(self._cursor, sources, base.dictionary, lambda: translated(base.file.path))

    def _deals(self) -> str:
        """A query of the id of each deal, and its number."""
        if not self._base.changed:
            return "FROM base.deals"
        replaced = "FROM base.deals ANTI JOIN replaced USING (deal)"
        return f"{replaced} UNION ALL BY NAME FROM moved_deals"

    def _where(self, question: Question) -> str | None:
        """What rows have to be; None where there are none."""
        dictionary, point = self._base.dictionary, question.point
        conditions = [
            f"occurred_from <= {point.occurred} AND occurred_until > {point.occurred}",
            f"known_from <= {point.known} AND known_until > {point.known}",
        ]
        if merged := dictionary.code("status", Status.MERGED.value):
            conditions.append(f"status <> {merged}")
        for name, value in question.where.items():
            if name in _OF_PLACES:
                codes = dictionary.places(name, value)
            else:
                code = dictionary.code(name, value)
                codes = [] if code is None else [code]
            if not codes:
                return None
            conditions.append(f"{_OF_PLACES.get(name, name)} IN ({', '.join(map(str, codes))})")
        return " AND ".join(conditions)

    def _sums(
        self,
        table: str,
        columns: Sequence[str],
        where: str,
        without: str = "",
        but: Sequence[int] = (),
    ) -> list[tuple[int, ...]]:
        """The sums over rows of a table, without the deals in another one, and without some."""
        joins = (f" ANTI JOIN {without} USING (deal)" if without else "") + self._among
        late = f"AND deal NOT IN ({', '.join(map(str, but))})" if but else ""
        keys = ", ".join(columns)
        return self._cursor.execute(
            f"SELECT {keys}, {_SUMS} FROM {table}{joins} WHERE {where} {late} GROUP BY {keys}"
        ).fetchall()

    def _decoded(
        self, parts: Iterable[tuple[int, ...]], columns: Sequence[str], names: Sequence[str]
    ) -> Iterator[Part]:
        texts = [(columns.index(_OF_PLACES.get(name, name)), self._texts(name)) for name in names]
        at_status, statuses = columns.index("status"), self._texts("status")
        at_place, processes, orders = -1, [""], [0]
        if "stage" in names:
            at_place = columns.index(PLACE)
            processes = self._texts("process")
            orders = [place[2] for place in list(self._base.dictionary.of[PLACE].values_by_code)]
        for row in parts:
            place = row[at_place] if at_place >= 0 else 0
            yield Part(
                tuple([values[row[at]] for at, values in texts]),
                statuses[row[at_status]],
                processes[place],
                orders[place],
                Sums._make(row[len(columns) :]),
            )

    def _texts(self, name: str) -> list[Any]:
        """The values of a dimension, or of the status, by their codes."""
        values = self._base.dictionary.of[_OF_PLACES.get(name, name)].values_by_code
        if name in _OF_PLACES:
            return [place[_IN_PLACE.index(name)] for place in list(values)]
        return values

    def interrupt(self) -> None:
        """End the statement that runs, called from another thread."""
        self._cursor.interrupt()

    def close(self) -> None:
        """End the transaction."""
        self._cursor.close()


class Exporting:
    """A base that is being made of another one as it was, while that one goes on."""

    def __init__(self, path: Path, about: About, cursor: duckdb.DuckDBPyConnection) -> None:
        self._path = path
        self.about = about
        self._cursor = cursor

    def written(self) -> Path:
        """Write it."""
        with closing(self._cursor) as cursor:
            making.fill(
                cursor,
                self.about,
                "FROM base.periods ANTI JOIN replaced USING (deal) UNION ALL BY NAME FROM moved",
                "FROM base.deals ANTI JOIN replaced USING (deal)"
                " UNION ALL BY NAME FROM moved_deals",
            )
            cursor.commit()
            making.detach(cursor)
        return self._path


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    connection.begin()
    try:
        yield connection
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _begin(cursor: duckdb.DuckDBPyConnection) -> None:
    """Begin a transaction that sees what is there now: a transaction begins with its first read."""
    cursor.begin()
    cursor.execute("SELECT 1 FROM moved LIMIT 1").fetchall()


def _columns(names: Sequence[str]) -> list[str]:
    """What to group by for some dimensions."""
    return list(dict.fromkeys([*(_OF_PLACES.get(name, name) for name in names), "status"]))
