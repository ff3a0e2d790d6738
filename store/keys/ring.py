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
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

import msgspec

from store.errors import StoreError
from store.keys import erasure, signing
from store.keys.durability import sync_folder
from store.keys.erasure import PendingErasure
from store.keys.errors import SubjectErased
from store.keys.key_file import next_to, settle_key_file
from store.keys.rotation import DATA, STORE, Progress, silent, wrap_anew
from store.keys.signing import Signature, SigningKey
from store.keys.sources import EncryptionSource, FileSource
from store.keys.tables import (
    create_tables,
    make_private,
    open_tables,
    read_properties,
    rows_with,
    set_property,
    translated,
    written,
)
from store.keys.vault import ERASURE_KEY, FINGERPRINT_KEY, Vault
from store.keys.wrapping import KEY_BYTES, KeyEncryption, Wrapping

Clock: TypeAlias = Callable[[], datetime]
T = TypeVar("T")

DIGEST_BYTES = 32

# What a text is that was erased, so that an equal text of another kind is not.
_KEY, _SOURCE_ID, _SUBJECT = "key", "source", "subject"


class KeyRingSummary(msgspec.Struct, frozen=True):
    """What a key store holds, without any key."""

    store_id: str
    encryption_id: str
    created_at: datetime
    keys: dict[str, int]
    """How many by kind, in alphabetical order."""
    erasures_finished: int
    erasures_pending: int
    erased_hashes: int
    signing_keys: tuple[SigningKey, ...]


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
            vault.refresh()
            keys = vault.keys
            found = {name: keys[name] for name in names if name in keys}
            if len(found) == len(names):
                return found
            if vault.absent.issuperset(name for name in names if name not in found):
                return found
            with vault.reading() as cursor:
                found = self._load(cursor, names)
            vault.keep(found)
            vault.keep_absent([name for name in names if name not in found])
            return found

    def ensure(self, names: Collection[str]) -> dict[str, bytes]:
        """The keys of these names; missing ones are made, durably before this returns.

        Raises SubjectErased, with the names that were erased; then nothing was made.
        """
        with self._vault.lock:
            found = self.find(names)
            if len(found) == len(names):
                return found
            with self._vault.writing() as cursor:
                erased = self._erased(cursor, names)
                if erased:
                    raise SubjectErased(erased)
                found = self._load(cursor, names)
                for name in sorted(set(names) - found.keys()):
                    found[name] = self._make(cursor, name)
            self._vault.keep(found)
            return found

    def _load(self, cursor: sqlite3.Cursor, names: Collection[str]) -> dict[str, bytes]:
        by_digest = {self._vault.digest(_KEY, name): name for name in names}
        erased = erasure.erased_among(cursor, by_digest)
        digests = [digest for digest in by_digest if digest not in erased]
        query = "SELECT digest, wrapped FROM keys WHERE digest IN"
        return {
            by_digest[digest]: self._vault.wrapping.unwrap(DATA, digest.hex(), wrapped)
            for digest, wrapped in rows_with(cursor, query, digests)
        }

    def _make(self, cursor: sqlite3.Cursor, name: str) -> bytes:
        kind, colon, identifier = name.partition(":")
        assert kind, name
        assert colon, name
        assert identifier, name
        key = os.urandom(KEY_BYTES)
        digest = self._vault.digest(_KEY, name)
        wrapped = self._vault.wrapping.wrap(DATA, digest.hex(), key)
        cursor.execute(
            "INSERT INTO keys(digest, kind, wrapped) VALUES (?, ?, ?)", (digest, kind, wrapped)
        )
        return key

    def _erased(self, cursor: sqlite3.Cursor, names: Collection[str]) -> set[str]:
        by_digest = {self._vault.digest(_KEY, name): name for name in names}
        return {by_digest[digest] for digest in erasure.erased_among(cursor, by_digest)}

    def _digests_of(self, begun: PendingErasure) -> list[bytes]:
        return [
            *(self._vault.digest(_KEY, name) for name in begun.names),
            *(self._vault.digest(_SOURCE_ID, text) for text in begun.source_ids),
            self._vault.digest(_SUBJECT, begun.subject),
        ]

    def is_erased(self, names: Collection[str]) -> set[str]:
        """Those of the names whose keys are erased or about to be."""
        with self._vault.reading() as cursor:
            return self._erased(cursor, names)

    def fingerprint(self, data: bytes) -> bytes:
        """HMAC-SHA256 of `data` under a key of this store: 32 bytes, the same for equal data."""
        return self._vault.fingerprint(data)

    # Erasure.

    def begin_erasure(
        self, names: Collection[str], subject: str, source_ids: Collection[str] = ()
    ) -> None:
        """Doom the keys of these names: from now on they are neither made nor handed out.

        `subject` is what the caller calls the person; an erasure of the same
        subject that is not finished takes up the names. `source_ids` is what
        other systems call the person: asked for by `was_erased`.
        """
        begun = PendingErasure(subject, tuple(sorted(names)), tuple(sorted(source_ids)))
        with self._vault.writing() as cursor:
            erasure.begin(cursor, begun, self._digests_of(begun), self._clock())
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

    def was_erased(self, source_ids: Collection[str]) -> set[str]:
        """Those of the ids of other systems that belong to someone erased."""
        digests = {self._vault.digest(_SOURCE_ID, text): text for text in source_ids}
        with self._vault.reading() as cursor:
            return {digests[found] for found in erasure.erased_among(cursor, digests)}

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

    def sign(self, message: bytes) -> Signature:
        """Sign with the newest signing key. Raises StoreError when there is none."""
        with self._vault.reading() as cursor:
            if self._vault.signer is None:
                self._vault.signer = signing.newest(cursor, self._vault.wrapping)
            return self._vault.signer.sign(message)

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
            finished, hashes = cursor.execute(
                "SELECT (SELECT count(finished_at) FROM erasures), (SELECT count(*) FROM erased)"
            ).fetchone()
            return KeyRingSummary(
                store_id=self.id,
                encryption_id=properties["encryption"],
                created_at=datetime.fromisoformat(properties["created_at"]),
                keys=keys,
                erasures_finished=finished,
                erasures_pending=len(erasure.pending(cursor)),
                erased_hashes=hashes,
                signing_keys=signing.listed(cursor),
            )

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy that opens under the same key-encryption key, mode 0600.

        Raises StoreError where something is there.
        """
        if path.exists():
            raise StoreError(f"{path} is there already", "Name a file that is not there yet.")
        make_private(path)
        try:
            self._vault.copy_to(path)
            with path.open("rb+") as copy:
                os.fsync(copy.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        sync_folder(path)
