"""One open key store: its file, its key-encryption key, and what is in memory of it.

Theory of operation. Before each answer SQLite is asked whether another process
has committed anything (PRAGMA data_version, a few microseconds, fewer inside of a
transaction); if so the stored generation is compared with the one in memory.
Erasures, rotations and new signing keys raise the generation, and a raised generation
empties the memory. Whatever adds to what is erased raises it, so the hashes of what is
erased stay in memory too, as long as there are not too many.

After keys were deleted or wrapped anew, the file is read once more for what may
be left of the old bytes: SQLite zeroes what it deletes, but promises nothing of
a place that a row was moved from, or of what was deleted under other settings.
If anything is found, the file is written anew. A mark, set in the same transaction as the
deletion, has whoever opens the file after a crash do the same.

Copies that a file system or a disk keeps of deleted blocks are out of reach
from here; what is in them is wrapped.
"""

import hashlib
import hmac
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import RLock

from store.keys import erasure
from store.keys.rotation import STORE
from store.keys.signing import Signer
from store.keys.sources import EncryptionSource
from store.keys.tables import read_properties, transaction, translated, translation
from store.keys.wrapping import KeyEncryption, Wrapping, damaged

WARM_KEYS = 50_000
"""How many unwrapped keys stay in memory."""
WARM_ERASED = 50_000
"""Up to how many hashes of what was erased stay in memory."""

ERASURE_KEY = "erasure"
FINGERPRINT_KEY = "fingerprint"

_UNKNOWN = -1
_MARK = "unscrubbed-"


class Vault:
    """Reads and writes of one key store, one at a time."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, source: EncryptionSource
    ) -> None:
        self.path = path
        self.lock = RLock()
        self.keys: dict[str, bytes] = {}
        """Unwrapped keys by name; valid after `refresh`."""
        self.absent: set[str] = set()
        """Names that have no key; valid after `refresh`."""
        self.signer: Signer | None = None
        self._erased: frozenset[bytes] | None = None
        """All that is erased, valid after `refresh`; None: not read, or too many."""
        self._too_many_erased = False
        self._source = source
        self._connection = connection
        self._cursor = connection.cursor()
        self._data_version = _UNKNOWN
        properties = read_properties(self._cursor)
        self.id = properties["store_id"]
        self.generation = int(properties["generation"])
        self.wrapping = Wrapping(self.id, source.load(properties["encryption"]))
        with self.reading() as cursor:
            self._erasure_key = self._store_key(cursor, ERASURE_KEY)
            self._fingerprint_key = self._store_key(cursor, FINGERPRINT_KEY)

    def close(self) -> None:
        with self.lock:
            self._forget()
            self._connection.close()

    def refresh(self) -> None:
        """Drop from memory what another process has changed. To be called under the lock.

        Raises WrongKeyEncryption when the keys were wrapped anew under a key-encryption
        key that the source does not have.
        """
        try:
            version = self._cursor.execute("PRAGMA data_version").fetchone()[0]
            if version != self._data_version:
                self._read_again()
                self._data_version = version
        except sqlite3.Error as error:
            raise translation(error, self.path) from error

    def _read_again(self) -> None:
        properties = read_properties(self._cursor)
        wanted = properties["encryption"]
        if wanted != self.wrapping.encryption.id:
            self.wrapping = self.wrapping.under(self._source.load(wanted))
        if int(properties["generation"]) != self.generation:
            self._forget()
            self.generation = int(properties["generation"])
        self.absent.clear()

    def _forget(self) -> None:
        self.keys.clear()
        self.absent.clear()
        self.signer = None
        self._erased = None
        self._too_many_erased = False

    def knows(self, names: Collection[str]) -> bool:
        """Whether memory tells of each of these names what its key is, or that there is none."""
        keys, absent = self.keys, self.absent
        return all(name in keys or name in absent for name in names)

    def keep(self, keys: dict[str, bytes]) -> None:
        """Keep unwrapped keys in memory; the oldest make room."""
        self.keys.update(keys)
        self.absent.difference_update(keys)
        for name in list(islice(self.keys, max(0, len(self.keys) - WARM_KEYS))):
            del self.keys[name]

    def keep_absent(self, names: Collection[str]) -> None:
        """Keep in memory that these names have no key."""
        if len(self.absent) + len(names) > WARM_KEYS:
            self.absent.clear()
        self.absent.update(names)

    def erased_among(self, digests: Collection[bytes]) -> set[bytes]:
        """Those that are erased. To be called under the lock, after `refresh`."""
        erased = self._warm_erased()
        if erased is None:
            with translated(self.path):
                return erasure.erased_among(self._cursor, digests)
        return set(erased.intersection(digests)) if erased else set()

    def is_anything_erased(self) -> bool:
        """To be called under the lock, after `refresh`."""
        erased = self._warm_erased()
        return erased is None or bool(erased)

    def _warm_erased(self) -> frozenset[bytes] | None:
        """All that is erased; None where it is too much to be kept in memory."""
        if self._erased is None and not self._too_many_erased:
            with translated(self.path):
                self._erased = erasure.all_erased(self._cursor, WARM_ERASED)
            self._too_many_erased = self._erased is None
        return self._erased

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Cursor]:
        """One state of the file, with the memory as of that state."""
        with self.lock, translated(self.path), transaction(self._cursor, "DEFERRED"):
            self.refresh()
            yield self._cursor

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Cursor]:
        """A write transaction: all or nothing, durable when this returns."""
        with self.lock, translated(self.path), transaction(self._cursor):
            self.refresh()
            yield self._cursor

    def raise_generation(self, cursor: sqlite3.Cursor) -> None:
        """Have all processes drop what they have in memory, once the transaction commits."""
        cursor.execute("UPDATE properties SET value = value + 1 WHERE name = 'generation'")
        self._data_version = _UNKNOWN

    def digest(self, label: str, text: str) -> bytes:
        """HMAC-SHA256 of `text`, of the kind that `label` says, under the erasure key."""
        return hmac.digest(self._erasure_key, f"{label}\0{text}".encode(), "sha256")

    def fingerprint(self, data: bytes) -> bytes:
        """HMAC-SHA256 of `data` under the fingerprint key."""
        return hmac.digest(self._fingerprint_key, data, hashlib.sha256)

    def _store_key(self, cursor: sqlite3.Cursor, name: str) -> bytes:
        row = cursor.execute("SELECT wrapped FROM store_keys WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise damaged(f"its {name} key is missing")
        return self.wrapping.unwrap(STORE, name, row[0])

    # What deleted rows leave behind.

    def mark_unscrubbed(self, cursor: sqlite3.Cursor) -> str:
        """Note, in the transaction that deletes, that old bytes may be left; the mark."""
        found = cursor.execute("SELECT value FROM properties WHERE name = 'generation'").fetchone()
        mark = f"{_MARK}{found[0]}"
        cursor.execute("REPLACE INTO properties VALUES (?, ?)", (mark, ""))
        return mark

    def scrub(self, mark: str, traces: Collection[bytes]) -> None:
        """Make sure that none of `traces` is left in the file, then remove the mark."""
        with self.lock, translated(self.path):
            if self._holds(traces):
                self._write_anew()
                assert not self._holds(traces)
            self._remove_marks([mark])

    def scrub_everything(self) -> None:
        """Write the file anew if there are marks: nothing that was deleted is left in it."""
        with self.lock, translated(self.path):
            marks = [name for name in read_properties(self._cursor) if name.startswith(_MARK)]
            if marks:
                self._write_anew()
                self._remove_marks(marks)

    def _holds(self, traces: Collection[bytes]) -> bool:
        # Opening the file a second time and closing it would drop SQLite's locks on it (POSIX),
        # so its bytes are read through the connection.
        content = self._connection.serialize()
        return any(trace in content for trace in traces)

    def _write_anew(self) -> None:
        self._cursor.execute("VACUUM")

    def _remove_marks(self, marks: Collection[str]) -> None:
        with transaction(self._cursor):
            self._cursor.executemany(
                "DELETE FROM properties WHERE name = ?", ((mark,) for mark in marks)
            )

    def copy_to(self, path: Path) -> None:
        """Write everything but deleted bytes to an empty file."""
        with self.lock, translated(path):
            self._cursor.execute("VACUUM INTO ?", (str(path),))

    def replace_encryption(
        self, make: Callable[[str], KeyEncryption], wrap: Callable[[sqlite3.Cursor, Wrapping], None]
    ) -> None:
        """Make another key-encryption key and have `wrap` use it, in one transaction."""
        with self.lock:
            with self.writing() as cursor:
                new = self.wrapping.under(make(self.wrapping.encryption.id))
                wrap(cursor, new)
                cursor.execute(
                    "UPDATE properties SET value = ? WHERE name = 'encryption'",
                    (new.encryption.id,),
                )
                self.raise_generation(cursor)
                self.mark_unscrubbed(cursor)
            self.wrapping = new
            self.scrub_everything()
