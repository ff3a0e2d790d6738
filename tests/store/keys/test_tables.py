"""The file of a key store: private, written durably, refused when it is not ours or damaged."""

import os
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable
from store.keys import tables
from store.keys.errors import KeysDamaged
from store.keys.ring import KeyRing
from tests.store.keys.making import ask, create, raw, reopen

NOBODY = 65_534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_is_marked_as_a_key_store(ring: KeyRing, path: Path) -> None:
    assert ask(path, "PRAGMA application_id") == [(tables.APPLICATION_ID,)]
    assert ask(path, "PRAGMA user_version") == [(1,)]
    assert path.read_bytes()[68:72] == b"DeaK"


def test_file_and_journal_are_private_from_the_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[tuple[str, int]] = set()

    def look() -> None:
        seen.update((each.name, mode(each)) for each in path.parent.iterdir())

    def make_and_look(place: Path) -> None:
        tables_make_private(place)
        look()

    def random_and_look(length: int) -> bytes:
        look()
        return b"k" * length

    tables_make_private = tables.make_private
    before = os.umask(0)
    try:
        monkeypatch.setattr(tables, "make_private", make_and_look)
        with create(path) as ring:
            # Each key that is made looks at the files in the middle of the transaction.
            monkeypatch.setattr(os, "urandom", random_and_look)
            ring.ensure(["person:a", "person:b"])
            monkeypatch.undo()
    finally:
        os.umask(before)
    assert seen == {("x.keys.db", 0o600), ("x.keys.db-journal", 0o600)}


def test_every_setting_is_set_and_read_back(path: Path) -> None:
    create(path).close()
    with closing(tables.open_tables(path)) as connection:
        found = {
            name: tables.pragma(connection.cursor(), name)
            for name in ("journal_mode", "synchronous", "secure_delete", "fullfsync", "temp_store")
        }
    assert found == {
        "journal_mode": "delete",
        "synchronous": 3,
        "secure_delete": 1,
        "fullfsync": 1,
        "temp_store": 2,
    }


def test_a_setting_that_does_not_hold_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(path).close()
    monkeypatch.setattr(tables, "_SETTINGS", (("synchronous", "EXTRA", 2),))
    with pytest.raises(StoreError, match="cannot be kept safely"):
        reopen(path)


def test_a_key_store_in_another_journal_mode_is_brought_back(path: Path) -> None:
    create(path).close()
    assert ask(path, "PRAGMA journal_mode = WAL") == [("wal",)]
    reopen(path).close()
    assert ask(path, "PRAGMA journal_mode") == [("delete",)]
    assert [each.name for each in path.parent.iterdir()] == [path.name]


# What is refused.


def test_a_missing_key_store_is_not_made_by_opening(path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no key store at .*cannot be read"):
        reopen(path)
    assert list(path.parent.iterdir()) == []


def test_a_key_store_needs_its_folder(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no folder"):
        create(path.parent / "nowhere" / "x.keys.db")


def test_a_folder_is_not_a_key_store(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match="is not a file"):
        create(path)
    with pytest.raises(StoreError, match="there is no key store"):
        reopen(path)


def test_a_key_store_is_never_made_over_another(path: Path, ring: KeyRing) -> None:
    kept = ring.ensure(["person:a"])
    with pytest.raises(StoreError, match="is a key store already"):
        create(path)
    with reopen(path) as again:
        assert again.find(["person:a"]) == kept


def test_an_empty_file_that_a_crash_left_is_taken_over(path: Path) -> None:
    path.touch(0o644)
    create(path).close()
    assert mode(path) == 0o600
    reopen(path).close()


def test_another_database_is_neither_taken_over_nor_opened(path: Path) -> None:
    with raw(path) as other:
        other.execute("CREATE TABLE t(x)")
    path.chmod(0o600)
    content = path.read_bytes()
    with pytest.raises(StoreError, match="is a database of another kind"):
        create(path)
    with pytest.raises(StoreError, match="is not a key store of dealstate"):
        reopen(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not a key store of dealstate"),
        (b"name,key\n" * 100, "is not a database"),
        (b"SQLite format 3\0" + b"\xff" * 4096, "is not a database"),
    ],
    ids=["empty", "text", "damaged header"],
)
def test_other_files_are_not_opened_nor_changed(path: Path, content: bytes, reason: str) -> None:
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=reason):
        reopen(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("rights", [0o640, 0o604, 0o666])
def test_a_key_store_that_others_may_read_is_refused(path: Path, rights: int) -> None:
    create(path).close()
    path.chmod(rights)
    with pytest.raises(StoreError, match=r"others than its owner.*chmod 600"):
        reopen(path)


@pytest.mark.parametrize(
    ("version", "reason"), [(2, "newer release.*Upgrade"), (0, "unknown version 0")]
)
def test_tables_of_another_version_are_refused(path: Path, version: int, reason: str) -> None:
    create(path).close()
    ask(path, f"PRAGMA user_version = {version}")
    with pytest.raises(StoreError, match=reason):
        reopen(path)


@pytest.mark.parametrize("folder_mode", [0o555, 0o700])
def test_a_place_that_may_not_be_written_is_unavailable(folder_mode: int) -> None:
    # Not in the folder of the tests, which others than the superuser may not enter.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.keys.db"
        create(path).close()
        with as_nobody(path):
            Path(folder).chmod(folder_mode if os.getuid() == 0 else folder_mode & 0o555)
            if os.getuid() == 0:
                os.seteuid(NOBODY)
            with pytest.raises(StoreUnavailable, match=r"ermission|Give the user"):
                reopen(path)


@contextmanager
def as_nobody(path: Path) -> Iterator[None]:
    """The file belongs to somebody without the superuser's right to write everything."""
    if os.getuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    try:
        yield
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        path.parent.chmod(0o755)


# Damage.


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM properties WHERE name = 'encryption'",
        "UPDATE properties SET value = 'x' WHERE name = 'generation'",
        "DELETE FROM store_keys WHERE name = 'erasure'",
        "UPDATE store_keys SET wrapped = zeroblob(60) WHERE name = 'fingerprint'",
        "UPDATE properties SET value = 'x' WHERE name = 'store_id'",
        "DROP TABLE store_keys",
        "DROP TABLE properties",
    ],
)
def test_a_damaged_key_store_is_refused(path: Path, damage: str) -> None:
    create(path).close()
    ask(path, damage)
    with pytest.raises(KeysDamaged, match=r"is damaged.*Restore the key store"):
        reopen(path)


def test_swapped_keys_are_noticed(path: Path) -> None:
    with create(path) as ring:
        ring.ensure(["person:a", "person:b"])
    ask(
        path,
        "UPDATE keys SET wrapped = (SELECT wrapped FROM keys AS other WHERE other.id <> keys.id)",
    )
    with reopen(path) as ring, pytest.raises(KeysDamaged):
        ring.find(["person:a"])


def test_a_truncated_key_store_is_refused(path: Path) -> None:
    with create(path) as ring:
        ring.ensure([f"person:{number}" for number in range(200)])
    os.truncate(path, 5000)
    with pytest.raises(StoreError):
        reopen(path)


# What SQLite reports.


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusy, "has been locked for 30 seconds"),
        (sqlite3.SQLITE_FULL, StoreFull, "there is no room"),
        (sqlite3.SQLITE_IOERR_WRITE, StoreUnavailable, "Check the disk"),
        (sqlite3.SQLITE_READONLY, StoreUnavailable, "Check the disk"),
        (sqlite3.SQLITE_CORRUPT, KeysDamaged, "is damaged"),
        (sqlite3.SQLITE_NOTADB, StoreError, "is not a database"),
    ],
)
def test_errors_of_sqlite_say_what_to_do(code: int, kind: type[StoreError], text: str) -> None:
    error = sqlite3.OperationalError("told")
    error.sqlite_errorcode = code
    with pytest.raises(kind, match=text), tables.translated(Path("x.keys.db")):
        raise error


def test_a_locked_key_store_is_busy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BUSY_TIMEOUT_SECONDS", 0.0)
    with create(path) as ring, raw(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusy):
            ring.ensure(["person:a"])
        other.execute("ROLLBACK")
        assert ring.ensure(["person:a"])


def test_a_full_disk_leaves_nothing_half_made(ring: KeyRing, path: Path) -> None:
    ring.ensure(["person:a"])
    connection = ring._vault._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    names = [f"person:{number}" for number in range(1_000)]
    with pytest.raises(StoreFull):
        ring.ensure(names)
    assert ring.find(names) == {}
    assert ask(path, "SELECT count(*) FROM keys") == [(1,)]
    connection.execute("PRAGMA max_page_count = 1000000")
    assert len(ring.ensure(names)) == 1_000


def test_many_threads_may_use_one_ring(ring: KeyRing) -> None:
    names = [f"person:{number}" for number in range(20)]
    results: list[dict[str, bytes]] = []
    threads = [
        threading.Thread(target=lambda: results.append(ring.ensure(names))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    assert all(result == results[0] for result in results)


def test_rows_of_other_types_are_told(ring: KeyRing, path: Path) -> None:
    ring.ensure(["person:a"])
    ask(path, "UPDATE keys SET wrapped = 'text'")
    with reopen(path) as again, pytest.raises(KeysDamaged, match="is not of bytes"):
        again.find(["person:a"])
    ask(path, "UPDATE properties SET value = 'x' WHERE name = 'created_at'")
    with reopen(path) as again, pytest.raises(KeysDamaged, match="when it was made"):
        again.describe()
