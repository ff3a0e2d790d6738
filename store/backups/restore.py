"""Restore: a backup of log and keys put in place as one, after everything about it was checked.

Theory of operation. The two files are copied beside the place where they are to
be, and the copies are checked: the backup against its own mark and checkpoint,
each event against the root, the keys against the log. What is known of the log
from elsewhere, a checkpoint or the store that is replaced, is compared: if it
tells of more events, the backup is older; if it tells of another root, one of
the two was altered. Whoever was erased since the backup is erased in the copy.
Where it is older, the copy gets an event that says so: what it goes on with
contradicts checkpoints that others may hold.

Only then the files change places, all or none (store/backups/moves.py). The files of
the store that was there keep other names; nothing is deleted. The read models
notice by themselves that the log is another one.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from stat import S_IMODE
from typing import NamedTuple, TypeAlias
from uuid import uuid4

from domain.history import Draft, Fact, StreamKind, stream_of
from domain.restoring import StoreRestored
from store.backups.backup import (
    NotABackup,
    recorder_at,
    remove,
    require_sound,
    sync_file,
    unmark,
    whole_store_id,
    writing_errors,
)
from store.backups.comparing import (
    Wanted,
    compare,
    last_position,
    out_of_use,
    require_of_one_store,
    store_in_place,
)
from store.backups.moves import Move, commit, settle
from store.backups.needed_keys import KeysMissing, by_kind, missing_keys
from store.errors import StoreError
from store.events.codec import codec
from store.events.fields import FieldCipher
from store.forgetting.known import erase_again, keys_erased_in
from store.fsck.events import Progress
from store.identity import store_id_of
from store.keys.key_file import next_to
from store.keys.ring import KeyRing
from store.keys.signing import Signed
from store.keys.sources import EncryptionSource, FileSource, parse_source
from store.keys.tables import make_private
from store.location import Location
from store.recorder import Recorder
from store.seals import tiles
from store.sqlite.recorder import LogRecorder

At: TypeAlias = Callable[[str], None]
"""Told each step once it is done: copied, checked, erased, moving."""


class Restored(NamedTuple):
    """What is in place now."""

    events: int
    """Those of the backup. Where it is older, one more says so."""
    root: bytes
    """Of these events."""
    made_at: datetime
    """When the backup was made."""
    known_events: int | None
    """How many events are known to have been in the log; more than there are, if it is older.

    None: a log was replaced that could not be read.
    """
    erased_keys: int
    """Destroyed once more."""
    erasures_known: bool
    """Whether keys of the store or a file told of the erasures since the backup."""
    missing_keys: dict[str, int]
    """By kind of key; given up."""
    moved_aside: tuple[Path, ...]


def _unwatched(_: str) -> None: ...


def restore(
    wanted: Wanted,
    location: Location,
    clock: Callable[[], datetime],
    *,
    progress: Progress | None = None,
    at: At = _unwatched,
) -> Restored:
    """Put a backup in place as the store at `location`.

    Raises NotABackup, OlderThanKnown, Contradicted, KeysMissing, StoreError; then
    what was there is there as before.
    """
    if location.database is not None:
        raise StoreError(
            "a backup is restored to files", "Name a place for them, as in sqlite:///deals.db."
        )
    settle(location.keys)
    present = [path for path in (location.log, location.keys) if path.exists()]
    if present and not wanted.replace:
        raise StoreError(
            f"{present[0]} is there already",
            "Name another place, or have the store there put aside with --replace.",
        )
    log, keys = (path.with_name(f"{path.name}.restoring") for path in (location.log, location.keys))
    try:
        with writing_errors(location.log):
            _copy(wanted, location, log, keys)
        at("copied")
        in_place = last_position(location.log)
        with _naming({log: wanted.log, keys: wanted.keys}):
            restored = _checked(wanted, location, (log, keys), clock, progress=progress, at=at)
        for copy in (log, keys):
            sync_file(copy)
        with out_of_use(location.log, in_place), writing_errors(location.log):
            aside = _moves_aside(location, clock())
            ours = [Move(log.name, location.log.name), Move(keys.name, location.keys.name)]
            commit(location.keys, [*aside, *ours], lambda: at("moving"))
    except BaseException:
        if not _is_committed(location):
            remove(log)
            remove(keys)
        raise
    folder = location.log.parent
    return restored._replace(moved_aside=tuple(folder / move.target for move in aside))


def _is_committed(location: Location) -> bool:
    return location.keys.with_name(f"{location.keys.name}.moves").exists()


def _copy(wanted: Wanted, location: Location, log: Path, keys: Path) -> None:
    for source, copy in ((wanted.log, log), (wanted.keys, keys)):
        if not source.is_file():
            raise NotABackup(f"there is no file {source}", "Name the backup and that of its keys.")
        remove(copy)
    make_private(keys)
    shutil.copyfile(wanted.keys, keys)
    shutil.copyfile(wanted.log, log)
    if location.log.exists():
        log.chmod(S_IMODE(location.log.stat().st_mode))


@contextmanager
def _naming(given: Mapping[Path, Path]) -> Iterator[None]:
    """Have errors name the files that were given, not the copies that were checked."""
    try:
        yield
    except StoreError as error:
        for copy, source in given.items():
            error.message = error.message.replace(str(copy), str(source))
            error.advice = error.advice.replace(str(copy), str(source))
        error.args = (error.message,)
        raise


def _checked(
    wanted: Wanted,
    location: Location,
    copies: tuple[Path, Path],
    clock: Callable[[], datetime],
    *,
    progress: Progress | None,
    at: At,
) -> Restored:
    """Check the copies, and erase in them what was erased since."""
    log, keys = copies
    made_at = unmark(log)
    source = parse_source(location.encryption)
    with ExitStack() as stack:
        old = stack.enter_context(store_in_place(wanted, location, source, clock))
        copy = stack.enter_context(recorder_at(log))
        ring = stack.enter_context(_keys_at(keys, store_id_of(copy), source, clock))
        require_of_one_store(copy, old)
        require_sound(copy, ring, wanted.log, progress)
        head = copy.head()
        root = tiles.root(copy, head)
        if not any(row.size == head for row in copy.checkpoints()):
            raise NotABackup(
                f"{wanted.log} has no checkpoint of its {head} events", "Take another backup."
            )
        known = compare(wanted, copy, ring, old)
        at("checked")
        erasures = [one for one in (wanted.erasures, old.erasures) if one is not None]
        erased = erase_again(ring, erasures, keys_erased_in(copy) | old.erased_keys())
        missing = _given_up(wanted, copy, ring)
        ring.set_signed(Signed(head, root))
        if known != head:
            _record(StoreRestored(head, known, made_at.date()), copy, ring, clock())
        at("erased")
    _one_file(log)
    return Restored(head, root, made_at, known, erased, bool(erasures), by_kind(missing), ())


@contextmanager
def _keys_at(
    path: Path, store_id: str, source: EncryptionSource, clock: Callable[[], datetime]
) -> Iterator[KeyRing]:
    """The keys in the copy. Raises NotABackup for another file, or one that is not whole."""
    if isinstance(source, FileSource) and next_to(source.path.resolve()).exists():
        raise StoreError(
            f"a rotation of {source.path} was cut short", "Open the store there once, then restore."
        )
    found = whole_store_id(path)
    if found != store_id:
        raise NotABackup(
            f"{path} holds the keys of another store: of {found}, and the log is of {store_id}",
            "Name the backup of the keys that belongs to this log.",
        )
    with KeyRing.open(path, source, clock) as ring:
        yield ring


def _given_up(wanted: Wanted, log: Recorder, keys: KeyRing) -> set[str]:
    """The names of the keys that are missing, given up where that was accepted."""
    missing = missing_keys(log, keys)
    if missing and not wanted.accept_missing_keys:
        told = ", ".join(f"{count} of kind {kind}" for kind, count in by_kind(missing).items())
        raise KeysMissing(
            f"{wanted.keys} lacks keys that the log needs: {told}",
            "Name a later backup of the keys; what needs these keys cannot be read without"
            " them. To restore all the same, with [lost] in these fields: --accept-missing-keys.",
        )
    if missing:
        keys.give_up(missing)
    return missing


def _record(fact: StoreRestored, log: LogRecorder, keys: KeyRing, now: datetime) -> None:
    """Append to the copy that it goes on from an earlier point."""
    stream = stream_of(StreamKind.STORE, keys.id)
    draft: Draft[Fact] = Draft(
        fact=fact,
        occurred_at=now,
        actor="system",
        source="system",
        command_id=(said := str(uuid4())),
        correlation_id=said,
    )
    event = draft.recorded(stream, log.version(stream) + 1, now)
    row, _ = codec().to_row(event, (), FieldCipher(keys))
    log.append([row])


def _one_file(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()


# Changing places.


def _moves_aside(location: Location, now: datetime) -> Sequence[Move]:
    """Give every file of the log and the keys that is there a name of its own."""
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%S}"
    return [
        Move(path.name, _unused(path, stamp).name)
        for base in (location.log, location.keys)
        for end in ("", "-wal", "-shm", "-journal")
        if (path := base.with_name(base.name + end)).exists()
    ]


def _unused(path: Path, stamp: str) -> Path:
    number = 0
    while True:
        tail = f".{number}" if number else ""
        name = path.with_name(f"{path.name}.before-{stamp}{tail}")
        if not name.exists():
            return name
        number += 1
