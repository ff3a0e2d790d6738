"""Restore: a backup of log and keys put in place as one, after everything about it was checked.

Theory of operation. The two files are copied beside the place where they are to
be, and the copies are checked: the backup against its own mark and checkpoint,
each event against the root, the keys against the log. What is known of the log
from elsewhere, a checkpoint or the store that is replaced, is compared: if it
tells of more events, the backup is older; if it tells of another root, one of
the two was altered. Whoever was erased since the backup is erased in the copy.

Only then the files change places, all or none (store/moves.py). The files of
the store that was there keep other names; nothing is deleted. The read models
notice by themselves that the log is another one.
"""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec

from store.backup import (
    NotABackup,
    recorder_at,
    remove,
    require_sound,
    sync_file,
    unmark,
    writing_errors,
)
from store.errors import StoreBusy, StoreError
from store.fsck.events import Progress
from store.keys.key_file import next_to
from store.keys.ring import KeyRing
from store.keys.sources import EncryptionSource, FileSource, parse_source
from store.keys.tables import make_private
from store.known_erasures import Erasures, erase_again, erasures_of
from store.location import Location
from store.moves import Move, commit, settle
from store.notary import verifier_keys
from store.recorder import Recorder
from store.seals import tiles
from store.seals.merkle import ProofError
from store.seals.notes import (
    Checkpoint,
    VerifierKey,
    parse_checkpoint,
    parse_note,
    verify,
)
from store.sqlite.recorder import LogRecorder
from store.stored import read_stored

PAGE_EVENTS = 5_000

At: TypeAlias = Callable[[str], None]
"""Told each step once it is done: copied, checked, erased, moving."""


class OlderThanKnown(StoreError):
    """The backup lacks events that are known to have been in the log."""


class Contradicted(StoreError):
    """The backup and what is known of the log cannot both be true: one of them was altered."""


class KeysMissing(StoreError):
    """Keys that the log needs are not among the restored ones, though nobody erased them."""


class Wanted(msgspec.Struct, frozen=True):
    """What is to be restored, and what is known of it."""

    log: Path
    keys: Path
    checkpoint: str | None = None
    """A checkpoint that was kept elsewhere, as a signed note."""
    erasures: Erasures | None = None
    """Kept elsewhere."""
    replace: bool = False
    """Put the files of a store that is there aside."""
    accept_older: bool = False
    accept_missing_keys: bool = False


class Restored(NamedTuple):
    """What is in place now."""

    events: int
    root: bytes
    made_at: datetime
    """When the backup was made."""
    known_events: int
    """How many events are known to have been in the log; more than there are, if it is older."""
    erased_keys: int
    """Destroyed once more."""
    missing_keys: dict[str, int]
    """By kind of key."""
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
            _copy(wanted, log, keys)
        at("copied")
        restored = _checked(wanted, location, (log, keys), clock, progress=progress, at=at)
        for copy in (log, keys):
            sync_file(copy)
        aside = _moves_aside(location, clock())
        moves = [*aside, Move(log.name, location.log.name), Move(keys.name, location.keys.name)]
        with writing_errors(location.log):
            commit(location.keys, moves, lambda: at("moving"))
    except BaseException:
        if not _is_committed(location):
            remove(log)
            remove(keys)
        raise
    folder = location.log.parent
    return restored._replace(moved_aside=tuple(folder / move.target for move in aside))


def _is_committed(location: Location) -> bool:
    return location.keys.with_name(f"{location.keys.name}.moves").exists()


def _copy(wanted: Wanted, log: Path, keys: Path) -> None:
    for source, copy in ((wanted.log, log), (wanted.keys, keys)):
        if not source.is_file():
            raise NotABackup(f"there is no file {source}", "Name the backup and that of its keys.")
        remove(copy)
        make_private(copy)
        shutil.copyfile(source, copy)


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
        old = stack.enter_context(_store_in_place(wanted, location, source, clock))
        ring = stack.enter_context(_keys_at(keys, source, clock))
        copy = stack.enter_context(recorder_at(log))
        _require_of_one_store(copy, ring, old)
        require_sound(copy, ring, wanted.log, progress)
        head = copy.head()
        root = tiles.root(copy, head)
        if not any(row.size == head for row in copy.checkpoints()):
            raise NotABackup(
                f"{wanted.log} has no checkpoint of its {head} events", "Take another backup."
            )
        known = _compare(wanted, copy, ring, old)
        at("checked")
        erasures = [one for one in (wanted.erasures, old.erasures) if one is not None]
        erased = erase_again(ring, copy, erasures)
        missing = _missing_keys(copy, ring)
        if missing and not wanted.accept_missing_keys:
            told = ", ".join(f"{count} of kind {kind}" for kind, count in missing.items())
            raise KeysMissing(
                f"{wanted.keys} lacks keys that the log needs: {told}",
                "Name a later backup of the keys; what needs these keys cannot be read without"
                " them. To restore all the same: --accept-missing-keys.",
            )
        at("erased")
    _one_file(log)
    return Restored(head, root, made_at, known, erased, missing, ())


@contextmanager
def _keys_at(
    path: Path, source: EncryptionSource, clock: Callable[[], datetime]
) -> Iterator[KeyRing]:
    if isinstance(source, FileSource) and next_to(source.path.resolve()).exists():
        raise StoreError(
            f"a rotation of {source.path} was cut short", "Open the store there once, then restore."
        )
    with KeyRing.open(path, source, clock) as ring:
        yield ring


# What is known of the log.


class _Old(NamedTuple):
    """The store that is to be replaced, as far as it can be read."""

    log: Recorder | None
    store_id: str | None
    erasures: Erasures | None
    signers: tuple[VerifierKey, ...]


@contextmanager
def _store_in_place(
    wanted: Wanted,
    location: Location,
    source: EncryptionSource,
    clock: Callable[[], datetime],
) -> Iterator[_Old]:
    """Raises StoreError where what has to be known of it cannot be read, nor was given."""
    erasures, store_id = None, None
    signers: tuple[VerifierKey, ...] = ()
    if location.keys.exists():
        try:
            with KeyRing.open(location.keys, source, clock) as ring:
                erasures, store_id = erasures_of(ring), ring.id
                signers = tuple(verifier_keys(ring))
        except StoreError as error:
            if wanted.erasures is None:
                raise StoreError(
                    f"what was erased in the store that is replaced cannot be read:"
                    f" {error.message}",
                    "Give it with --erasures, or move that store away by hand.",
                ) from error
    if not location.log.exists():
        yield _Old(None, store_id, erasures, signers)
        return
    with ExitStack() as stack:
        old: LogRecorder | None = None
        try:
            old = stack.enter_context(recorder_at(location.log))
            old.head()
            store_id = old.properties()["id"]
        except StoreError as error:
            if not wanted.accept_older:
                raise OlderThanKnown(
                    f"how far the log that is replaced went cannot be read: {error.message}",
                    "To restore all the same: --accept-older.",
                ) from error
            old = None
        yield _Old(old, store_id, erasures, signers)
    if old is not None:
        _take_out_of_use(location.log)


def _take_out_of_use(path: Path) -> None:
    """Fold the write-ahead log into the file. Raises StoreBusy while anybody has it open."""
    try:
        with closing(sqlite3.connect(path, timeout=1.0, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as error:
        # One that is damaged goes aside with its write-ahead log as they are.
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise StoreBusy(
                f"{path} is in use", "Stop whatever has the store open, then restore."
            ) from error


def _one_file(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()


def _require_of_one_store(log: Recorder, keys: KeyRing, old: _Old) -> None:
    store_id = log.properties()["id"]
    if keys.id != store_id:
        raise StoreError(
            f"the keys are of the store {keys.id}, the log of {store_id}",
            "Name the backup of the keys that belongs to this log.",
        )
    if old.store_id not in {None, store_id}:
        raise StoreError(
            f"the store in place is {old.store_id}, the backup of {store_id}",
            "Name another place, or move that store away by hand.",
        )


def _compare(wanted: Wanted, log: Recorder, keys: KeyRing, old: _Old) -> int:
    """How many events are known to have been in the log. Raises Contradicted, OlderThanKnown."""
    head = log.head()
    signers = [*verifier_keys(keys), *old.signers]
    claims = [] if wanted.checkpoint is None else [("the checkpoint", wanted.checkpoint)]
    if old.log is not None:
        kept = old.log.checkpoints()
        claims += ((f"the kept checkpoint of {row.size} events", row.note) for row in kept)
    known = head
    for called, note in claims:
        told = _checkpoint(called, note, log, signers)
        if told.size <= head:
            _require_root(log, told.size, told.root, called)
        known = max(known, told.size)
    if old.log is not None:
        common = min(head, old.log.head())
        _require_root(log, common, _root_in_place(old.log, common), "the store in place")
        known = max(known, old.log.head())
    if known > head and not wanted.accept_older:
        raise OlderThanKnown(
            f"the backup has {head} events, and {known} are known to have been recorded",
            f"Restore a later backup. To do without the last {known - head}: --accept-older.",
        )
    return known


def _checkpoint(
    called: str, text: str, log: Recorder, signers: Sequence[VerifierKey]
) -> Checkpoint:
    try:
        note = parse_note(text)
        verify(note, signers)
        told = parse_checkpoint(note.text)
        if told.origin != log.properties()["origin"]:
            raise ProofError(f"it is of {told.origin}")
    except ProofError as error:
        raise StoreError(
            f"{called} cannot be compared: {error}", "Give one that this log has signed."
        ) from error
    return told


def _root_in_place(log: Recorder, size: int) -> bytes:
    try:
        return tiles.root(log, size)
    except ProofError as error:
        raise StoreError(
            f"the store in place is damaged and cannot be compared: {error}",
            "Move it away by hand, and give its last checkpoint and its erasures.",
        ) from error


def _require_root(log: Recorder, size: int, root: bytes, called: str) -> None:
    if tiles.root(log, size) != root:
        raise Contradicted(
            f"the first {size} events of the backup have another root than {called} tells",
            "One of the two was altered; check both with `dealstate audit fsck`. Nothing was"
            " restored.",
        )


# The keys.


def _missing_keys(log: Recorder, keys: KeyRing) -> dict[str, int]:
    """By kind, how many of the keys that stand beside a ciphertext are neither there nor erased."""
    missing: set[str] = set()
    position = 0
    while found := log.feed(position, PAGE_EVENTS):
        names = {
            name
            for row in found
            for encrypted in read_stored(row[4]).encrypted.values()
            for name in encrypted.keys
        }
        lacking = names - keys.find(names).keys() - missing
        missing |= lacking - keys.is_erased(lacking) if lacking else set()
        position = found[-1][0]
    kinds = Counter(name.partition(":")[0] for name in missing)
    return dict(sorted(kinds.items()))


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
