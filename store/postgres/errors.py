"""What PostgreSQL reports, as errors of the store with advice.

By the SQLSTATE codes of PostgreSQL (documentation, appendix A). A connection that
fails before it is made has no such code; there the message alone tells, in
English, as servers speak before the language of a session is known.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from eventsourcing.persistence import IntegrityError

from store.errors import NotStorable, StoreBusy, StoreError, StoreFull, StoreUnavailable
from store.postgres.address import Database

VERSION_GAP = "DS001"
"""SQLSTATE that our functions raise for a version that does not follow the last one."""

_AGAIN = "Try again in a moment."
_UNSURE = (
    "Whether the last write was recorded is not known: repeat it under the same command id,"
    " and it is carried out once."
)

_GRANT = (
    "Grant it all rights on the schema, and the right to create schemas in the database (GRANT"
    " CREATE ON DATABASE), in which the read models stand."
)
_CHECK = "Check that the server runs and can be reached from here."

_BUSY = {
    "40001": "another transaction came in between",
    "40P01": "two transactions waited for each other",
    "53300": "the server has no connection left",
    "55P03": "another program has been writing for too long",
    "57014": "the statement took too long",
}
_UNAVAILABLE = {
    "25006": ("it only reads, as a standby does", "Name the server that is written to."),
    "25P03": ("the server gave up a transaction that stood still", _AGAIN),
    "42501": ("this user has not the right to", _GRANT),
    "53200": ("the server has no memory left", _AGAIN),
    "57P01": ("the server was stopped", _UNSURE),
    "57P02": ("the server was stopped", _UNSURE),
    "57P03": ("the server is starting or stopping", _AGAIN),
    "57P05": ("the server closed an idle session", _AGAIN),
}
_REFUSED = {
    "password authentication failed": "Give the right password, best in ~/.pgpass or PGPASSWORD.",
    "no password supplied": "Give the password, best in ~/.pgpass or PGPASSWORD.",
    "no pg_hba.conf entry": "Let this user and host in, in the server's pg_hba.conf.",
}


def unreachable(error: psycopg.Error, database: Database) -> Exception:
    """The error of the store for a connection that could not be made."""
    found = translation(error, database)
    if isinstance(found, StoreUnavailable):
        return StoreUnavailable(found.message, _CHECK)
    return found


@contextmanager
def translated(database: Database) -> Iterator[None]:
    """psycopg's errors as ours; broken uniqueness as the library's IntegrityError."""
    try:
        yield
    except psycopg.Error as error:
        raise translation(error, database) from error


def translation(error: psycopg.Error, database: Database) -> Exception:
    """The error of the store that says what one of psycopg means."""
    code, said = error.sqlstate, _first_line(error)
    match code:
        case None:
            return _without_code(error, said, database)
        case "22021":
            return NotStorable(f"PostgreSQL cannot hold a value: {said}", "Correct it.")
        case "23505":
            return IntegrityError(said)
        case code if code == VERSION_GAP:
            return IntegrityError(said)
        case "53100" | "53400":
            return StoreFull(
                f"there is no room to write {database}", "Free some space on the server."
            )
        case "3D000" | "3F000" | "42P01" | "42883":
            return StoreError(f"there is no log at {database}", "Make one with `dealstate init`.")
        case code if code in _BUSY:
            return StoreBusy(f"{database} is busy: {_BUSY[code]}", _AGAIN)
        case code if code in _UNAVAILABLE:
            reason, advice = _UNAVAILABLE[code]
            return StoreUnavailable(f"{database} cannot be used: {reason} ({said})", advice)
        case "XX001" | "XX002":
            return StoreError(f"{database} is damaged: {said}", "Restore a backup.")
        case _ if code.startswith("08"):
            return _lost(said, database)
        case _ if code.startswith("58"):
            return StoreUnavailable(
                f"{database} cannot be read or written: {said}", "Check the server's disk."
            )
        case _:
            return StoreError(f"{database}: {said}", "Restore a backup if this persists.")


def _without_code(error: psycopg.Error, said: str, database: Database) -> Exception:
    if isinstance(error, psycopg.DataError):
        return NotStorable(f"PostgreSQL cannot hold a value: {said}", "Correct it.")
    if isinstance(error, psycopg.ProgrammingError):
        return StoreError(f"{database} cannot be used: {said}", "Correct the URL.")
    for refusal, advice in _REFUSED.items():
        if refusal in said:
            return StoreError(f"{database} refuses {database.user or 'this user'}", advice)
    if said.endswith("does not exist"):
        if "role" in said:
            return StoreError(f"{database} does not know this user", "Make it with `createuser`.")
        return StoreError(f"there is no database {database}", "Make it with `createdb`.")
    if "too many" in said or "remaining connection slots" in said:
        return StoreBusy(f"{database} has no connection left", _AGAIN)
    return _lost(said, database)


def _lost(said: str, database: Database) -> StoreUnavailable:
    return StoreUnavailable(f"{database} cannot be reached: {said}", f"{_CHECK} {_UNSURE}")


def _first_line(error: psycopg.Error) -> str:
    """The server's own words without the details, which may quote what was to be stored."""
    message = error.diag.message_primary or str(error)
    return message.strip().split("\n", 1)[0]
