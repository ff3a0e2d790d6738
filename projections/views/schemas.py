"""The schemas of the read models on PostgreSQL, and the pointer to the one that answers.

All of ours carry a comment, and what does not carry it is left alone, whatever its
name. The pointer is a table with one row, which also keeps the last number that was
given out. Whoever takes the right to build takes the next number at once, and a
number is never given out again. So the last one tells who has the right: whoever
built under an earlier one has lost it, with the session that held the lock, and can
neither fill a generation nor have it answer.
"""

from contextlib import suppress
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from projections.tables import checkpoints, identity, parked
from store.errors import StoreError
from store.postgres.address import Database

MARK = "dealstate read models"
"""The comment on each of our schemas."""

GONE = {"3F000", "42P01"}
"""SQLSTATE of a schema or table that is not there."""

_NEEDED = {table.name for table in (identity, checkpoints, parked)}
"""Without these tables nobody can tell what the others hold."""

_OURS = f"obj_description(oid, 'pg_namespace') IS NOT DISTINCT FROM '{MARK}'"

Session = psycopg.Connection[Any]


class Schemas:
    """The schemas of the read models of one log. All statements go over the sessions given."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pointer_schema = f"{database.schema}_views"
        # Names are put in as they are: a statement with parameters would take their % for one.
        self._pointer = Identifier(self._pointer_schema, "answering")
        self.touch = SQL("SELECT (SELECT number FROM {}), (SELECT 1 FROM identity)").format(
            self._pointer
        )
        """Answers the number of the one that answers, and holds the one in the search path."""

    def name(self, number: int) -> str:
        """The schema of a generation."""
        return f"{self._pointer_schema}_{number}"

    def pointed_at(self, session: Session) -> int | None:
        """The number of the one that answers. Raises StoreError where the pointer is not ours."""
        self._refuse_foreign(session)
        with suppress(psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            row = session.execute(SQL("SELECT number FROM {}").format(self._pointer)).fetchone()
            return row[0] if row else None
        return None

    def answering(self, session: Session) -> int | None:
        """As `pointed_at`, but None where somebody dropped what is pointed at."""
        number = self.pointed_at(session)
        if number is None or not self._is_ours(session, self.name(number)):
            return None
        return number if set(tables_in(session, self.name(number))) >= _NEEDED else None

    def numbers(self, session: Session) -> list[int]:
        """Of all generations there are schemas of."""
        start = f"{self._pointer_schema}_"
        query = f"SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) AND {_OURS}"  # noqa: S608
        found = (name.removeprefix(start) for (name,) in session.execute(query, (start,)))
        return sorted(int(number) for number in found if number.isdecimal())

    def take_number(self, session: Session) -> int:
        """The next number. Whoever took one before can build no more."""
        self._make_pointer(session)
        count_up = SQL("UPDATE {} SET last = last + 1 RETURNING last").format(self._pointer)
        while True:
            row = session.execute(count_up).fetchone()
            assert row is not None
            number = int(row[0])
            if self._is_ours(session, self.name(number)) is None:
                return number

    def _make_pointer(self, session: Session) -> None:
        with session.transaction():
            if self._is_ours(session, self._pointer_schema) is None:
                self.create(session, self._pointer_schema)
            self._refuse_foreign(session)
            for statement in (
                "CREATE TABLE IF NOT EXISTS {0} (number bigint, last bigint NOT NULL)",
                "INSERT INTO {0} SELECT NULL, 0 WHERE NOT EXISTS (SELECT 1 FROM {0})",
            ):
                session.execute(SQL(statement).format(self._pointer))

    def check(self, session: Session, number: int) -> None:
        """Raise StoreError where another number was given out after this one."""
        asked = SQL("SELECT 1 FROM {} WHERE last = {}").format(self._pointer, Literal(number))
        try:
            found = session.execute(asked).fetchone()
        except psycopg.errors.Error as error:
            if error.sqlstate in GONE:
                raise self.lost() from error
            raise
        if found is None:
            raise self.lost()

    def turn(self, session: Session, number: int) -> None:
        """Have this one answer once the transaction of the session commits.

        Nobody gets another number before that. Raises as `check` does.
        """
        # The old generation may be dropped as soon as this is known.
        session.execute("SET LOCAL synchronous_commit = on")
        turn = SQL("UPDATE {0} SET number = {1} WHERE last = {1}")
        if session.execute(turn.format(self._pointer, Literal(number))).rowcount != 1:
            raise self.lost()

    def lost(self) -> StoreError:
        """What to tell a builder whose place another one took."""
        return StoreError(
            f"the rebuild of the read models of {self._database} lost its lock, and another one"
            " began since",
            "Rebuild again, unless that one has done what you want.",
        )

    def create(self, session: Session, name: str) -> None:
        """Make a schema, which is ours from then on."""
        with session.transaction():
            for statement in ("CREATE SCHEMA {}", "COMMENT ON SCHEMA {} IS {}"):
                session.execute(SQL(statement).format(Identifier(name), Literal(MARK)))

    def sweep(self, session: Session) -> None:
        """Drop generations that do not answer, where nobody is in them."""
        kept = self.pointed_at(session)
        for number in self.numbers(session):
            if number != kept:
                with suppress(psycopg.errors.LockNotAvailable):
                    _drop(session, self.name(number))

    def _refuse_foreign(self, session: Session) -> None:
        if self._is_ours(session, self._pointer_schema) is False:
            raise StoreError(
                f"the schema {self._pointer_schema!r}, where the read models of"
                f" {self._database} belong, is used by something else",
                "Rename that schema, or drop it if nothing needs it.",
            )

    def _is_ours(self, session: Session, name: str) -> bool | None:
        """Whether a schema is one of ours; None where there is none."""
        query = f"SELECT {_OURS} FROM pg_namespace WHERE nspname = %s"  # noqa: S608
        row = session.execute(query, (name,)).fetchone()
        return bool(row[0]) if row else None


def tables_in(session: Session, schema: str) -> list[str]:
    """The names of all tables in a schema."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
    return [name for (name,) in session.execute(query, (schema,))]


def size_bytes(session: Session, schema: str) -> int:
    """What the tables in a schema take, with their indexes."""
    query = (
        "SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0) FROM pg_class"
        " JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = %s AND relkind = 'r'"
    )
    row = session.execute(query, (schema,)).fetchone()
    return int(row[0]) if row else 0


def _drop(session: Session, schema: str) -> None:
    """Drop a generation. Who is in it has touched `identity`, which is locked first."""
    with session.transaction():
        session.execute("SET LOCAL lock_timeout = '2s'")
        with suppress(psycopg.errors.UndefinedTable), session.transaction():
            session.execute(
                SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(Identifier(schema, "identity"))
            )
        session.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))
