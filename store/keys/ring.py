"""The key ring: the keys of a store by name, made when first needed and destroyed for good.

Theory of operation. A key is 32 random bytes, kept wrapped under the
key-encryption key in a file of its own (`tables.py`). Names say what a key
opens: `person:<id>`, `deal:<id>` and so on; the word before the colon is the
kind and is stored, the name itself only as a keyed hash.

Unwrapped keys stay in memory, and are dropped in every process as soon as an
erasure has begun in one of them (`vault.py`). Whoever keeps what was decrypted
compares `generation` and drops it in the same way.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, closing
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

from domain.full_names import LONGEST_RUN, run_of
from store.errors import StoreError
from store.keys import erasure, signing
from store.keys.durability import sync_folder
from store.keys.erasure import PendingErasure
from store.keys.errors import KeysErased
from store.keys.holding import held
from store.keys.key_file import next_to, settle_key_file
from store.keys.rotation import DATA, STORE, Progress, silent, wrap_anew
from store.keys.signing import Signature, Signed, SigningKey
from store.keys.sources import EncryptionSource, FileSource
from store.keys.summary import KeyRingSummary
from store.keys.tables import (
    BUSY_TIMEOUT_SECONDS,
    create_tables,
    make_private,
    open_tables,
    read_properties,
    rows_with,
    set_property,
    translated,
)
from store.keys.vault import ERASURE_KEY, FINGERPRINT_KEY, Vault
from store.keys.wrapping import KEY_BYTES, KeyEncryption, Wrapping, damaged
from store.times import written

Clock: TypeAlias = Callable[[], datetime]
T = TypeVar("T")

DIGEST_BYTES = 32

# What a text is that was erased, so that an equal text of another kind is not.
_KEY, _SUBJECT, _NAME = "key", "subject", "name"
_APPLIED = "erasures_applied"


class KeyRing:
    """The keys of one store. Safe to use from many threads; close it when done."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    @classmethod
    def create(cls, path: Path, source: EncryptionSource, clock: Clock) -> Self:
        """Make a new key store and open it. Raises StoreError where something is there."""
        store_id = secrets.token_hex(16)
        wrapping = Wrapping(store_id, source.load(None))

        def fill(cursor: sqlite3.Cursor) -> None:
            set_property(cursor, "store_id", store_id)
            set_property(cursor, "encryption", wrapping.encryption.id)
            set_property(cursor, "created_at", written(clock()))
            set_property(cursor, "generation", "1")
            for name in (ERASURE_KEY, FINGERPRINT_KEY):
                wrapped = wrapping.wrap(STORE, name, os.urandom(KEY_BYTES))
                cursor.execute("INSERT INTO store_keys VALUES (?, ?)", (name, wrapped))

        create_tables(path, fill)
        return cls.open(path, source, clock)

    @classmethod
    def open(cls, path: Path, source: EncryptionSource, clock: Clock) -> Self:
        """Open a key store, and finish what a crash has cut short.

        Raises StoreError when there is none, others may read it, or it is of
        another kind; WrongKeyEncryption; KeyEncryptionMissing; KeysDamaged.
        """
        connection = open_tables(path)
        try:
            with translated(path):
                ring = cls(Vault(path, connection, source), clock)
                ring._finish_cut_short(source)
        except BaseException:
            connection.close()
            raise
        return ring

    def _finish_cut_short(self, source: EncryptionSource) -> None:
        self._vault.scrub_everything()
        if isinstance(source, FileSource) and next_to(source.path.resolve()).exists():
            settle_key_file(self, source.path)

    def close(self) -> None:
        """Close the file and forget the keys."""
        self._vault.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<KeyRing {self.path}>"

    @property
    def path(self) -> Path:
        """The file."""
        return self._vault.path

    @property
    def id(self) -> str:
        """Names the key store; a copy has the same."""
        return self._vault.id

    # Keys by name.

    @property
    def generation(self) -> int:
        """Raised by each erasure, rotation and new signing key, of this process or another."""
        with self._vault.lock:
            self._vault.refresh()
            return self._vault.generation

    @property
    def encryption_id(self) -> str:
        """The id of the key-encryption key that wraps the keys now."""
        with self._vault.lock:
            self._vault.refresh()
            return self._vault.wrapping.encryption.id

    def find(self, names: Collection[str]) -> dict[str, bytes]:
        """The keys of these names; those that were never made or are erased are left out."""
        vault = self._vault
        with vault.lock:
            # Where the file has to be read in any case, reading it refreshes the memory.
            if vault.knows(names):
                vault.refresh()
            if not vault.knows(names):
                with vault.reading() as cursor:
                    found = self._load(cursor, names)
                vault.keep(found)
                vault.keep_absent([name for name in names if name not in found])
                return found
            keys = vault.keys
            return {name: keys[name] for name in names if name in keys}

    def ensure(self, names: Collection[str]) -> dict[str, bytes]:
        """The keys of these names; missing ones are made, durably before this returns.

        Raises KeysErased, with the names that were erased; then nothing was made.
        """
        with self._vault.lock:
            found = self.find(names)
            if len(found) == len(names):
                return found
            with self._vault.writing() as cursor:
                erased = self._erased(names)
                if erased:
                    raise KeysErased(erased)
                found |= self._load(cursor, set(names) - found.keys())
                found |= self._make(cursor, sorted(set(names) - found.keys()))
            self._vault.keep(found)
            return found

    def _load(self, cursor: sqlite3.Cursor, names: Collection[str]) -> dict[str, bytes]:
        by_digest = {self._vault.digest(_KEY, name): name for name in names}
        erased = self._vault.erased_among(by_digest.keys())
        digests = [digest for digest in by_digest if digest not in erased]
        query = "SELECT digest, wrapped FROM keys WHERE digest IN"
        return {
            by_digest[digest]: self._vault.wrapping.unwrap(DATA, digest.hex(), wrapped)
            for digest, wrapped in rows_with(cursor, query, digests)
        }

    def _make(self, cursor: sqlite3.Cursor, names: Collection[str]) -> dict[str, bytes]:
        keys: dict[str, bytes] = {}

        def rows() -> Iterator[tuple[bytes, str, bytes]]:
            for name in names:
                kind, colon, identifier = name.partition(":")
                assert kind, name
                assert colon, name
                assert identifier, name
                key = keys[name] = os.urandom(KEY_BYTES)
                digest = self._vault.digest(_KEY, name)
                yield digest, kind, self._vault.wrapping.wrap(DATA, digest.hex(), key)

        cursor.executemany("INSERT INTO keys(digest, kind, wrapped) VALUES (?, ?, ?)", rows())
        return keys

    def _erased(self, names: Collection[str]) -> set[str]:
        """Those of the names that are erased. The memory has to be fresh."""
        by_digest = {self._vault.digest(_KEY, name): name for name in names}
        return {by_digest[digest] for digest in self._vault.erased_among(by_digest.keys())}

    def _digests_of(self, begun: PendingErasure) -> list[bytes]:
        return [
            *(self._vault.digest(_KEY, name) for name in begun.names),
            self._vault.digest(_SUBJECT, begun.subject),
        ]

    def _digests_of_names(self, full_names: Collection[tuple[str, str]]) -> Iterator[bytes]:
        for stream, name in full_names:
            run = run_of(name)
            for part in run or ():
                yield self._vault.digest(_NAME, f"{stream}\0{part}")

    def lengths_of_erased_names(self, stream: str) -> frozenset[int]:
        """How many words the full names have of whoever was erased on a stream."""
        lengths = {
            self._vault.digest(_NAME, f"{stream}\0{length}"): length
            for length in range(1, LONGEST_RUN + 1)
        }
        return frozenset(lengths[one] for one in self._erased_now(lengths.keys()))

    def has_erased_name(self, stream: str, runs: Collection[str]) -> bool:
        """Whether one of these runs of words is the full name of somebody erased there."""
        digests = [self._vault.digest(_NAME, f"{stream}\0{run}") for run in runs]
        return bool(self._erased_now(digests))

    def has_erased(self) -> bool:
        """Whether anything was ever erased."""
        with self._vault.lock:
            self._vault.refresh()
            return self._vault.is_anything_erased()

    def _erased_now(self, digests: Collection[bytes]) -> set[bytes]:
        with self._vault.lock:
            self._vault.refresh()
            return self._vault.erased_among(digests)

    def is_erased(self, names: Collection[str]) -> set[str]:
        """Those of the names whose keys are erased or about to be."""
        with self._vault.lock:
            self._vault.refresh()
            return self._erased(names)

    def give_up(self, names: Collection[str]) -> None:
        """Accept that the keys of these names were lost: what they opened reads as lost.

        Keys that are there or erased stay so. What is recorded under the names later
        gets new keys, which open that alone.
        """
        with self._vault.writing() as cursor:
            gone = set(names) - self._erased(names) - self._load(cursor, names).keys()
            digests = ((self._vault.digest(_KEY, name),) for name in gone)
            cursor.executemany("INSERT OR IGNORE INTO lost VALUES (?)", digests)
            self._vault.raise_generation(cursor)

    def is_lost(self, names: Collection[str]) -> set[str]:
        """Those of the names whose keys were given up, and not erased since."""
        by_digest = {self._vault.digest(_KEY, name): name for name in names}
        query = "SELECT digest FROM lost WHERE digest IN"
        with self._vault.reading() as cursor:
            lost = {by_digest[digest] for (digest,) in rows_with(cursor, query, list(by_digest))}
            return lost - self._erased(lost)

    def fingerprint(self, data: bytes) -> bytes:
        """HMAC-SHA256 of `data` under a key of this store: 32 bytes, the same for equal data."""
        return self._vault.fingerprint(data)

    # Erasure.

    def erasing(self, wait_seconds: float = BUSY_TIMEOUT_SECONDS) -> AbstractContextManager[None]:
        """Hold what is erased: one erasure at a time, over all processes.

        Whoever finds an erasure that is not finished, and held by nobody, may finish it.
        Raises Held where somebody else erases for longer than that.
        """
        return held(self.path.with_name(f"{self.path.name}.erasing"), wait_seconds)

    def erasures_applied(self) -> int:
        """Up to which position the keys are destroyed of whom the log calls erased."""
        with self._vault.reading() as cursor:
            return int(read_properties(cursor).get(_APPLIED, "0"))

    def keep_erasures_applied(self, position: int) -> None:
        """Keep that this is so up to a position."""
        with self._vault.writing() as cursor:
            set_property(cursor, _APPLIED, str(position))

    def begin_erasure(
        self,
        names: Collection[str],
        subject: str,
        full_names: Collection[tuple[str, str]] = (),
    ) -> None:
        """Doom the keys of these names: from now on they are neither made nor handed out.

        `subject` is what the caller calls the person; an erasure of the same
        subject that is not finished takes up the names. `full_names` are those of the
        person, each with a stream where it is asked for by `has_erased_name`.
        """
        begun = PendingErasure(subject, tuple(sorted(names)))
        with self._vault.writing() as cursor:
            digests = [*self._digests_of(begun), *self._digests_of_names(full_names)]
            erasure.begin(cursor, begun, digests, self._clock())
            self._vault.raise_generation(cursor)

    def finish_erasure(self, subject: str) -> int:
        """Destroy the keys of an erasure that has begun; how many there were.

        On return neither the keys nor the names are in the file. Finishing again
        changes nothing. Raises StoreError when no erasure of `subject` has begun.
        """
        with self._vault.lock:
            with self._vault.writing() as cursor:
                taken = erasure.take(cursor, subject, self._clock())
                if taken is not None:
                    destroyed = erasure.destroy(cursor, self._digests_of(taken))
                    self._vault.raise_generation(cursor)
                    mark = self._vault.mark_unscrubbed(cursor)
                elif not erasure.erased_among(cursor, [self._vault.digest(_SUBJECT, subject)]):
                    raise StoreError(f"no erasure of {subject} has begun", "Begin it first.")
            if taken is None:
                self._vault.scrub_everything()
                return 0
            self._vault.scrub(mark, [*destroyed, erasure.trace_of(subject)])
        return len(destroyed)

    def pending_erasures(self) -> tuple[PendingErasure, ...]:
        """The erasures that have begun and are not finished, oldest first."""
        with self._vault.reading() as cursor:
            return erasure.pending(cursor)

    def erased_hashes(self) -> list[bytes]:
        """All that was erased, as keyed hashes of 32 bytes, to apply to a restored key store."""
        with self._vault.reading() as cursor:
            rows = cursor.execute("SELECT digest FROM erased ORDER BY digest").fetchall()
            return [digest for (digest,) in rows]

    def apply_erasures(self, hashes: Collection[bytes]) -> int:
        """Erase, in an older copy of this key store, what was erased since; how many keys.

        `hashes` are from `erased_hashes`. Applying them again changes nothing.
        """
        if any(len(digest) != DIGEST_BYTES for digest in hashes):
            raise StoreError(
                f"an erasure to apply is not a hash of {DIGEST_BYTES} bytes",
                "Give those that the key store listed.",
            )
        with self._vault.lock:
            with self._vault.writing() as cursor:
                erasure.remember(cursor, hashes)
                destroyed = erasure.destroy(cursor, hashes)
                self._vault.raise_generation(cursor)
                mark = self._vault.mark_unscrubbed(cursor)
            self._vault.scrub(mark, destroyed)
        return len(destroyed)

    # Signing.

    def add_signing_key(self, name: str) -> SigningKey:
        """Make a key that signs from now on, under the name that its signatures are to bear."""
        with self._vault.writing() as cursor:
            added = signing.add(cursor, self._vault.wrapping, name, self._clock())
            self._vault.raise_generation(cursor)
        return added

    def signing_keys(self) -> tuple[SigningKey, ...]:
        """All keys that sign or have signed, oldest first; the last one signs."""
        with self._vault.reading() as cursor:
            return signing.listed(cursor)

    def sign_checkpoint(
        self, told: Signed, text: str, require_extended: Callable[[Signed], None]
    ) -> Signature:
        """Sign the text of a checkpoint with the newest signing key, and remember what it says.

        Before that `require_extended` is called with what was signed last, where
        anything was; it raises where the log does not go on from there. Both are one
        transaction. Raises StoreError when there is no signing key.
        """
        with self._vault.writing() as cursor:
            last = signing.signed_last(cursor)
            if last is not None:
                require_extended(last)
            if self._vault.signer is None:
                self._vault.signer = signing.newest(cursor, self._vault.wrapping)
            if last is None or told.size > last.size:
                signing.remember_signed(cursor, told)
            return self._vault.signer.sign(text.encode())

    def signed_last(self) -> Signed | None:
        """What was signed last of the log, the largest size; None where nothing was signed."""
        with self._vault.reading() as cursor:
            return signing.signed_last(cursor)

    def set_signed(self, told: Signed) -> None:
        """Have this be what was signed last, for a log that was put back to it."""
        with self._vault.writing() as cursor:
            signing.remember_signed(cursor, told)

    # Upkeep.

    def rotate(self, new: KeyEncryption, progress: Progress = silent) -> None:
        """Wrap every key under `new`, all or none. The keys themselves stay as they are.

        `progress` is told how many are done, of how many. Copies made before stay
        wrapped under the key-encryption key of then. A key file is replaced with
        `rotate_key_file`.
        """
        self.rotate_to(lambda current: new, progress)

    def rotate_to(self, make: Callable[[str], KeyEncryption], progress: Progress = silent) -> None:
        """As `rotate`, with a key that is made once nobody else may write the key store.

        `make` is called with the id of the key-encryption key that is to be replaced.
        """

        def wrap(cursor: sqlite3.Cursor, new: Wrapping) -> None:
            wrap_anew(cursor, self._vault.wrapping, new, progress)

        self._vault.replace_encryption(make, wrap)

    def while_locked(self, action: Callable[[str], T]) -> T:
        """Call `action` with the id of the key-encryption key while nobody may replace it."""
        with self._vault.writing():
            return action(self._vault.wrapping.encryption.id)

    def describe(self) -> KeyRingSummary:
        """What is in the key store, in numbers."""
        with self._vault.reading() as cursor:
            properties = read_properties(cursor)
            kinds = cursor.execute("SELECT kind, count(*) FROM keys GROUP BY kind ORDER BY kind")
            keys = dict(kinds.fetchall())
            hashes, given_up = cursor.execute(
                "SELECT (SELECT count(*) FROM erased), (SELECT count(*) FROM lost)"
            ).fetchone()
            return KeyRingSummary(
                store_id=self.id,
                encryption_id=properties["encryption"],
                created_at=_created_at(properties["created_at"]),
                keys=keys,
                erased_hashes=hashes,
                erasures_pending=len(erasure.pending(cursor)),
                given_up=given_up,
                signing_keys=signing.listed(cursor),
            )

    def copy_to(self, path: Path, signed: Signed | None = None) -> None:
        """Write a consistent copy that opens under the same key-encryption key, mode 0600.

        In the copy `signed` is what was signed last, where it is given. Raises
        StoreError where something is there.
        """
        if path.exists():
            raise StoreError(f"{path} is there already", "Name a file that is not there yet.")
        make_private(path)
        try:
            self._vault.copy_to(path)
            if signed is not None:
                with closing(open_tables(path)) as copied, translated(path):
                    signing.remember_signed(copied.cursor(), signed)
            with path.open("rb+") as copy:
                os.fsync(copy.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        sync_folder(path)


def _created_at(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise damaged("it does not say when it was made") from None
