"""The directory as a table: who the opaque user ids stand for."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from domain.directory import UserRegistered
from projections.frames import Batch
from projections.tables import users

NAME = "users"
VERSION = 1
TABLES = (users,)


def apply(connection: Connection, batch: Batch) -> None:
    """Take in the registrations of the batch; the last name given to a user counts."""
    rows = {
        fact.user: {"user_id": fact.user, "name": fact.name, "reference": fact.reference}
        for positioned in batch.events
        if isinstance(fact := positioned.event.fact, UserRegistered)
    }
    if rows:
        statement = insert(users)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["user_id"],
                set_={"name": statement.excluded.name, "reference": statement.excluded.reference},
            ),
            list(rows.values()),
        )


def names(connection: Connection) -> dict[str, str]:
    """User id to name. Ids without a registration are not in it."""
    return {row.user_id: row.name for row in connection.execute(select(users))}
