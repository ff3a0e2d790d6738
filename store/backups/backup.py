"""Backups: a log copied while others write to it, checked, and the keys in another file.

Theory of operation. The backup of a log is itself a log in the form of SQLite,
whatever database the log is on, so that it can be looked into with the same
tools and restored anywhere. Events are never changed, so those up to one
position are one state of the log; on SQLite the file is copied as it is at one
moment. The keys are copied after the events: whatever the events need is there
by then.

In the copy stands a checkpoint that was made for it. Before the copy gets its
name, every event is hashed from its stored bytes and compared with that
checkpoint (store/fsck). What is not sealed, the commands and the properties, is
under a digest of its own, in the table `backup` that marks the file.
"""

import errno
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from eventsourcing.utils import Environment

from store.errors import StoreError
from store.fsck.check import check
from store.fsck.events import Progress
from store.keys.durability import sync_folder
from store.keys.ring import KeyRing
from store.keys.signing import Signed
from store.keys.tables import APPLICATION_ID as KEYS_ID
from store.log import DealLog
from store.notary import Notary
from store.recorder import Recorder
from store.seals import tiles
from store.seals.notes import parse_checkpoint, parse_note
from store.sqlite.connections import APPLICATION_ID, LOG_SCHEMA, translated
from store.sqlite.recorder import LogFactory, LogRecorder, create
from store.times import written

PAGE_EVENTS = 5_000
FORM = "1"
"""Of what the table `backup` says."""

_SQLITE = b"SQLite format 3\0"
_ADVICE = "Name a file that `dealstate backup` has written, or take another backup."
_FSCK = (
    "Run `dealstate audit fsck`, which tells what was changed; then restore a backup. No backup was"
    " written."
)
_UNSEALED = (
    "SELECT * FROM commands ORDER BY principal, command_id",
    "SELECT * FROM checkpoints ORDER BY size",
    "SELECT * FROM properties ORDER BY name",
)
_SIDES = ("-wal", "-shm", "-journal")


class NotABackup(StoreError):
    """The file is of another kind, damaged, or does not agree with itself."""


class LogUnsound(StoreError):
    """The log that a backup was to be made of is not as it was recorded."""


class BackedUp(NamedTuple):
    """What was written."""

    log: Path
    keys: Path
    events: int
    root: bytes
    note: str
    """The checkpoint."""


def default_keys(log: Path) -> Path:
    """Where the keys go that belong to the backup of a log, unless another place is named."""
    return log.with_name(f"{log.name}.keys")


def back_up(
    log: DealLog, target: Path, keys: Path | None = None, progress: Progress | None = None
) -> BackedUp:
    """Write a backup of the log, and one of its keys to another file.

    Neither is there unless both are whole. Raises StoreError where a file is there
    already, and when the copy does not agree with its checkpoint.
    """
    keys = keys or default_keys(target)
    parts = [_part_of(target), _part_of(keys)]
    for path in (target, keys):
        _require_free(path)
    if target.absolute() == keys.absolute():
        raise StoreError("log and keys cannot be one file", "Name another file for the keys.")
    try:
        for part in parts:
            remove(part)
        with writing_errors(target):
            note = _copy_checked(log, parts[0], progress)
            mark(parts[0], log.now())
            told = parse_checkpoint(parse_note(note).text)
            log.keys.copy_to(parts[1], Signed(told.size, told.root))
            parts[1].rename(keys)
            parts[0].rename(target)
            sync_folder(keys)
            sync_folder(target)
    except BaseException:
        for part in parts:
            remove(part)
        raise
    return BackedUp(target, keys, told.size, told.root, note)


def _copy_checked(log: DealLog, part: Path, progress: Progress | None) -> str:
    """The checkpoint that the copy was made with; the log keeps it too."""
    copy_log(log.records, part)
    with recorder_at(part) as copy:
        findings = check(copy, log.keys, whole=False, progress=progress)
        if not findings.sound:
            raise LogUnsound(f"the log is damaged: {findings.problems[0].what}", _FSCK)
        notary, size = Notary(log.records, log.keys, log.now), copy.head()
        # What is signed is what the whole log has; the copy may be older.
        if notary.root(size) != tiles.root(copy, size):
            raise LogUnsound(
                f"the log is damaged: the root of the first {size} events is another one than that"
                " of their copy",
                _FSCK,
            )
        note = notary.checkpoint(size)
        Notary(copy, log.keys, log.now).keep(note)
    return note


def require_sound(
    recorder: Recorder, keys: KeyRing, path: Path, progress: Progress | None = None
) -> None:
    """Raise NotABackup unless each event is as it was recorded, and the tables are ours alone."""
    foreign = recorder.foreign()
    if foreign:
        raise NotABackup(f"{path} is not as a backup is written: {foreign[0]}", _ADVICE)
    findings = check(recorder, keys, whole=False, progress=progress)
    if not findings.sound:
        raise NotABackup(f"{path} is damaged: {findings.problems[0].what}", _ADVICE)


# Copying.


def copy_log(source: Recorder, target: Path) -> None:
    """Write a log as of now to a new file."""
    if isinstance(source, LogRecorder):
        _copy_file(source, target)
    else:
        create(target, source.properties())
        with recorder_at(target) as copy:
            copy_rows(source, copy)


def _copy_file(source: LogRecorder, target: Path) -> None:
    """In one step: SQLite would begin anew whenever somebody writes in between."""
    with (
        source.datastore.reading() as cursor,
        translated(target),
        closing(sqlite3.connect(target)) as copy,
    ):
        cursor.connection.backup(copy)


def copy_rows(source: Recorder, target: Recorder, page_events: int = PAGE_EVENTS) -> None:
    """Write everything up to the present end of a log to an empty one, on any database."""
    head = source.head()
    position = 0
    while position < head:
        found = source.feed(position, min(page_events, head - position))
        target.append(row[1:] for row in found)
        position = found[-1][0]
    with target.transaction() as append:
        for command in source.commands():
            # Later commands tell of events that are not in the copy.
            if command.last_version <= target.version(command.stream):
                append((), command)
    for checkpoint in source.checkpoints():
        if checkpoint.size <= head:
            target.keep_checkpoint(checkpoint)


@contextmanager
def recorder_at(path: Path) -> Iterator[LogRecorder]:
    """The recorder of the log in a file, on its own."""
    factory = LogFactory(Environment("", {LogFactory.SQLITE_DBNAME: str(path)}))
    try:
        recorder = factory.application_recorder()
        assert isinstance(recorder, LogRecorder)
        yield recorder
    finally:
        factory.close()


# The mark of a backup.


def mark(path: Path, now: datetime) -> None:
    """Make the file a backup: one file, marked, under a digest, durable."""
    with translated(path), closing(_connected(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE backup (name TEXT PRIMARY KEY, value TEXT) STRICT")
        told = {"form": FORM, "made_at": written(now)}
        told["digest"] = _digest(connection)
        connection.executemany("INSERT INTO backup VALUES (?, ?)", told.items())
        connection.execute("COMMIT")
    sync_file(path)


def unmark(path: Path) -> datetime:
    """Check the mark of a backup and take it away, so that the file is a log; when it was made.

    Raises NotABackup.
    """
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            raise NotABackup(f"{path} is not a backup of a log", _ADVICE)
    try:
        with closing(_connected(path)) as connection:
            _require_log(connection, path)
            told = _checked_mark(connection, path)
            connection.execute("DROP TABLE backup")
    except sqlite3.Error as error:
        raise NotABackup(f"{path} is damaged: {error}", _ADVICE) from error
    return datetime.fromisoformat(told["made_at"])


def _require_log(connection: sqlite3.Connection, path: Path) -> None:
    (kind,) = connection.execute("PRAGMA application_id").fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if kind != APPLICATION_ID:
        raise NotABackup(f"{path} is a database of another kind, not the backup of a log", _ADVICE)
    if schema != LOG_SCHEMA:
        raise NotABackup(
            f"{path} was written by another release (tables {schema}, this one knows {LOG_SCHEMA})",
            "Restore it with the release that wrote it, then upgrade.",
        )
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'backup'").fetchone()
    if found is None:
        raise NotABackup(f"{path} is a log in use, not a backup of one", _ADVICE)


def _checked_mark(connection: sqlite3.Connection, path: Path) -> dict[str, str]:
    (state,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if state != "ok":
        raise NotABackup(f"{path} is damaged: {state}", _ADVICE)
    told = dict(connection.execute("SELECT name, value FROM backup").fetchall())
    if told.get("form") != FORM or told.get("digest") != _digest(connection):
        raise NotABackup(f"{path} is damaged: its commands are not those it was made with", _ADVICE)
    return told


def whole_store_id(keys: Path) -> str:
    """Of which store a backup of keys is, without the key that opens it.

    Raises NotABackup where the file is of another kind, or not whole.
    """
    advice = "Name the file of keys that `dealstate backup` has written, or an earlier one."
    try:
        with closing(_connected(keys)) as connection:
            (kind,) = connection.execute("PRAGMA application_id").fetchone()
            if kind != KEYS_ID:
                raise NotABackup(f"{keys} is not a key store", advice)
            (state,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if state != "ok":
                raise NotABackup(f"{keys} is damaged: {state}", advice)
            found = connection.execute("SELECT value FROM properties WHERE name = 'store_id'")
            ((store_id,),) = found.fetchall()
    except (sqlite3.Error, ValueError) as error:
        raise NotABackup(f"{keys} is damaged: {error}", advice) from error
    return str(store_id)


def _digest(connection: sqlite3.Connection) -> str:
    """SHA-256 over the rows that are not sealed, in MessagePack."""
    digest = hashlib.sha256()
    for statement in _UNSEALED:
        for row in connection.execute(statement):
            digest.update(msgspec.msgpack.encode(row))
    return digest.hexdigest()


# Files.


@contextmanager
def writing_errors(path: Path) -> Iterator[None]:
    """The errors of files as those of a store."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        name = str(error.filename or path).removesuffix(".restoring").removesuffix(".part")
        raise StoreError(
            f"{name} cannot be read or written: {error.strerror}",
            "Free some space, or name another place."
            if full
            else "Check the file, its folder and their permissions, or name another place.",
        ) from error


def sync_file(path: Path) -> None:
    """Have everything in the file survive a power failure."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def remove(path: Path) -> None:
    """Delete a database with what SQLite keeps beside it, as far as it is there."""
    for end in ("", *_SIDES):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _part_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _require_free(path: Path) -> None:
    if path.exists():
        raise StoreError(f"{path} is there already", "Name a file that is not there yet.")
    if not path.absolute().parent.is_dir():
        raise StoreError(f"there is no folder {path.parent}", "Make it, or name another place.")


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
