"""What is known of a log from elsewhere, and a backup compared with it.

A checkpoint that was kept elsewhere, and the store that is replaced: its events,
its checkpoints, its erasures, as far as each can still be read. What cannot be
read and is needed has to be given, or done without in so many words.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from store.backups.backup import recorder_at
from store.errors import StoreBusy, StoreError
from store.forgetting.known import Erasures, erasures_of, keys_erased_in
from store.identity import origin_of, store_id_of
from store.keys.ring import KeyRing
from store.keys.signing import Signed
from store.keys.sources import EncryptionSource
from store.location import Location
from store.notary import verifier_keys
from store.recorder import Recorder
from store.seals import tiles
from store.seals.merkle import ProofError
from store.seals.notes import Checkpoint, VerifierKey, parse_checkpoint, parse_note, verify
from store.sqlite.recorder import LogRecorder


class OlderThanKnown(StoreError):
    """The backup lacks events that are known to have been in the log."""


class Contradicted(StoreError):
    """The backup and what is known of the log cannot both be true: one of them was altered."""


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
    accept_unknown_erasures: bool = False
    """Do without erasures that only the keys of the replaced store tell of."""


class InPlace(NamedTuple):
    """The store that is to be replaced, as far as it can be read."""

    log: LogRecorder | None = None
    log_unreadable: bool = False
    """There is a log, and nobody can tell how far it went."""
    store_id: str | None = None
    erasures: Erasures | None = None
    """As its keys tell of them."""
    signers: tuple[VerifierKey, ...] = ()
    signed: Signed | None = None
    """What was signed last of it."""

    def erased_keys(self) -> set[str]:
        """The names of the keys of whoever its log calls erased."""
        try:
            return set() if self.log is None else keys_erased_in(self.log)
        except StoreError:
            # Damaged further on. Other word of the erasures was there, or done without.
            return set()


@contextmanager
def store_in_place(
    wanted: Wanted,
    location: Location,
    source: EncryptionSource,
    clock: Callable[[], datetime],
) -> Iterator[InPlace]:
    """Raises StoreError where what has to be known of it cannot be read, nor was given."""
    if not location.log.exists() and not location.keys.exists():
        yield InPlace()
        return
    found = _keys_in_place(wanted, location, source, clock)
    if not location.log.exists():
        yield found
        return
    with ExitStack() as stack:
        try:
            log = stack.enter_context(recorder_at(location.log))
            log.head()
            found = found._replace(log=log, store_id=store_id_of(log))
        except StoreError as error:
            if not wanted.accept_older:
                raise OlderThanKnown(
                    f"how far the log that is replaced went cannot be read: {error.message}",
                    "To restore all the same: --accept-older.",
                ) from error
            found = found._replace(log_unreadable=True)
        yield found


def _keys_in_place(
    wanted: Wanted,
    location: Location,
    source: EncryptionSource,
    clock: Callable[[], datetime],
) -> InPlace:
    try:
        with KeyRing.open(location.keys, source, clock) as ring:
            return InPlace(
                store_id=ring.id,
                erasures=erasures_of(ring),
                signers=tuple(verifier_keys(ring)),
                signed=ring.signed_last(),
            )
    except StoreError as error:
        if wanted.erasures is None and not wanted.accept_unknown_erasures:
            raise StoreError(
                f"what was erased in the store that is replaced cannot be read: {error.message}",
                "Give the erasures with --erasures. Where nobody has exported them:"
                " --accept-unknown-erasures, which erases again whom the log there calls erased.",
            ) from error
        return InPlace()


_LAST_POSITION = "SELECT coalesce(max(position), 0) FROM stored_events"


def last_position(path: Path) -> int | None:
    """Of the log in place; none where there is none, or it cannot be read."""
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(path)) as connection:
            return int(connection.execute(_LAST_POSITION).fetchone()[0])
    except sqlite3.Error:
        return None


@contextmanager
def out_of_use(path: Path, expected: int | None) -> Iterator[None]:
    """The log in place to ourselves, without a write-ahead log beside it.

    So nobody records anything in it while it is put aside, and none of its files
    stays behind for the one that takes its place. Raises StoreBusy while anybody has
    it open, or where it does not end at the `expected` position any more.
    """
    if not path.exists():
        yield
        return
    with closing(sqlite3.connect(path, timeout=1.0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
            found = int(connection.execute(_LAST_POSITION).fetchone()[0])
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise StoreBusy(
                    f"{path} is in use", "Stop whatever has the store open, then restore."
                ) from error
            # One that is damaged goes aside with its write-ahead log as they are.
            found = expected or 0
        if expected is not None and found != expected:
            raise StoreBusy(
                f"events were recorded in {path} while the backup was checked",
                "Stop whatever records, then restore.",
            )
        yield


def require_of_one_store(log: Recorder, old: InPlace) -> None:
    """Raise StoreError unless the backup is of the store in place."""
    store_id = store_id_of(log)
    if old.store_id not in {None, store_id}:
        raise StoreError(
            f"the store in place is {old.store_id}, the backup of {store_id}",
            "Name another place, or move that store away by hand.",
        )


def compare(wanted: Wanted, log: Recorder, keys: KeyRing, old: InPlace) -> int | None:
    """How many events are known to have been in the log; none where its log could not be read.

    Raises Contradicted, OlderThanKnown.
    """
    head = log.head()
    signers = [*verifier_keys(keys), *old.signers]
    claims = [] if wanted.checkpoint is None else [("the checkpoint", wanted.checkpoint)]
    if old.log is not None:
        kept = old.log.checkpoints()
        claims += ((f"the kept checkpoint of {row.size} events", row.note) for row in kept)
    told: list[tuple[str, Checkpoint | Signed]] = [
        (called, _checkpoint(called, note, log, signers)) for called, note in claims
    ]
    last = (keys.signed_last(), old.signed)
    told += (("what was signed last", one) for one in last if one is not None)
    known = head
    for called, one in told:
        if one.size <= head:
            _require_root(log, one.size, one.root, called)
        known = max(known, one.size)
    if old.log is not None:
        common = min(head, old.log.head())
        _require_root(log, common, _root_in_place(old.log, common), "the store in place")
        known = max(known, old.log.head())
    if known > head and not wanted.accept_older:
        raise OlderThanKnown(
            f"the backup has {head} events, and {known} are known to have been recorded",
            f"Restore a later backup. To do without the last {known - head}: --accept-older.",
        )
    return None if old.log_unreadable and known == head else known


def _checkpoint(
    called: str, text: str, log: Recorder, signers: Sequence[VerifierKey]
) -> Checkpoint:
    try:
        note = parse_note(text)
        verify(note, signers)
        told = parse_checkpoint(note.text)
        if told.origin != origin_of(store_id_of(log)):
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
