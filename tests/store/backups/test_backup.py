"""Backups: the same events under load, checked, in two files; and nothing half."""

import errno
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from domain.lifecycle.commands import AddNote
from store.backups.backup import (
    LogUnsound,
    NotABackup,
    back_up,
    copy_log,
    copy_rows,
    recorder_at,
    unmark,
    writing_errors,
)
from store.errors import StoreError
from store.events.writing import Batch
from store.keys.key_file import create_key_file
from store.keys.ring import KeyRing
from store.keys.sources import parse_source
from store.location import Location
from store.log import DealLog
from store.notary import Notary
from store.recorder import Recorder
from store.seals import tiles
from store.seals.notes import parse_checkpoint, parse_note
from store.seals.verify import Trust, verify_text
from store.sqlite.recorder import create
from tests.contract.asking import intent, notes
from tests.shared_data import REPOSITORY
from tests.store.people import TOLD, told_log


@pytest.fixture
def location(tmp_path: Path) -> Location:
    folder = tmp_path / "store"
    folder.mkdir()
    return Location.beside(folder / "x.db")


@pytest.fixture
def log(location: Location) -> Iterator[DealLog]:
    with told_log(location) as log:
        yield log


def rows_in(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM stored_events ORDER BY position").fetchall()


def test_a_backup_holds_the_same_bytes_and_a_checkpoint_of_its_own(
    log: DealLog, location: Location, tmp_path: Path
) -> None:
    done = back_up(log, tmp_path / "b")
    assert (done.log, done.keys) == (tmp_path / "b", tmp_path / "b.keys")
    assert done.events == len(TOLD)
    assert done.root == tiles.root(log.records, len(TOLD))
    assert rows_in(done.log) == rows_in(location.log)
    told = parse_checkpoint(parse_note(done.note).text)
    assert (told.size, told.root) == (done.events, done.root)
    trust = Trust(tuple(Notary(log.records, log.keys, log.now).verifier_keys()))
    verify_text(done.note, trust)
    assert log.records.checkpoints()[-1].note == done.note
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "b.keys", "store"]


def test_the_keys_are_in_the_other_file_alone(
    log: DealLog, location: Location, tmp_path: Path
) -> None:
    done = back_up(log, tmp_path / "b", tmp_path / "k")
    assert done.keys.stat().st_mode & 0o777 == 0o600
    with KeyRing.open(done.keys, parse_source(location.encryption), log.now) as ring:
        assert ring.id == log.keys.id
        assert ring.describe().keys == log.keys.describe().keys
    with closing(sqlite3.connect(done.keys)) as keys:
        wrapped = [row[0] for row in keys.execute("SELECT wrapped FROM keys")]
    assert wrapped
    content = done.log.read_bytes()
    assert not any(one in content for one in wrapped)


def test_an_empty_log_has_a_backup_too(location: Location, tmp_path: Path) -> None:
    with DealLog.create(location) as log:
        assert back_up(log, tmp_path / "b").events == 0
    unmark(tmp_path / "b")


@pytest.mark.parametrize("there", ["b", "b.keys"])
def test_what_is_there_is_not_overwritten(log: DealLog, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    with pytest.raises(StoreError, match="there already"):
        back_up(log, tmp_path / "b")
    assert (tmp_path / there).read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([there, "store"])


def test_log_and_keys_are_never_one_file(log: DealLog, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="one file"):
        back_up(log, tmp_path / "b", tmp_path / "b")


def test_a_folder_that_is_not_there_is_told(log: DealLog, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no folder"):
        back_up(log, tmp_path / "nowhere" / "b")


def test_what_a_crash_left_is_no_hindrance(log: DealLog, tmp_path: Path) -> None:
    (tmp_path / "b.part").write_text("half")
    (tmp_path / "b.keys.part").write_text("half")
    back_up(log, tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "b.keys", "store"]


def test_a_damaged_log_yields_no_backup(log: DealLog, location: Location, tmp_path: Path) -> None:
    with closing(sqlite3.connect(location.log)) as connection, connection:
        connection.execute(
            "UPDATE stored_events SET state = CAST(replace(state, 'ann', 'bob') AS BLOB)"
        )
    with pytest.raises(LogUnsound, match="damaged"):
        back_up(log, tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_copy_with_another_root_than_the_log_is_no_backup(
    log: DealLog, location: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_rows(source: Recorder, target: Path) -> None:
        create(target, source.properties())
        with recorder_at(target) as copy:
            copy_rows(source, copy)

    monkeypatch.setattr("store.backups.backup.copy_log", by_rows)
    with closing(sqlite3.connect(location.log)) as connection, connection:
        connection.execute("UPDATE edge SET hash = zeroblob(32) WHERE position = 3")
    with pytest.raises(StoreError, match="the root of the first 12 events is another one"):
        back_up(log, tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_backup_under_load_is_one_state_of_the_log(
    log: DealLog, location: Location, tmp_path: Path
) -> None:
    stop = Event()

    def write() -> None:
        with DealLog.open(location) as other:
            number = 0
            while not stop.is_set():
                number += 1
                other.append([Batch(f"deal:w-{number}", 0, notes(3))])
                other.handle("d-1", AddNote("more"), intent(f"load-{number}"))

    writer = Thread(target=write)
    writer.start()
    try:
        done = [back_up(log, tmp_path / f"b{number}") for number in range(3)]
    finally:
        stop.set()
        writer.join()
    assert done[0].events < done[-1].events < log.head()
    for one in done:
        assert one.root == tiles.root(log.records, one.events)
        unmark(one.log)
        with recorder_at(one.log) as copy:
            assert copy.head() == one.events


def test_rows_are_copied_with_commands_and_checkpoints(log: DealLog, tmp_path: Path) -> None:
    Notary(log.records, log.keys, log.now).checkpoint()
    path = tmp_path / "copy.db"
    create(path, log.records.properties())
    with recorder_at(path) as copy:
        copy_rows(log.records, copy, page_events=5)
        assert copy.feed(0, 100) == log.records.feed(0, 100)
        assert list(copy.commands()) == list(log.records.commands())
        assert copy.checkpoints() == log.records.checkpoints()
        assert tiles.root(copy, len(TOLD)) == tiles.root(log.records, len(TOLD))


class Growing:
    """A log of another database, to which others append while it is copied."""

    def __init__(self, log: DealLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> object:
        if name == "commands":
            self._log.handle("d-1", AddNote("late"), intent("late"))
            Notary(self._log.records, self._log.keys, self._log.now).checkpoint()
        return getattr(self._log.records, name)


def test_what_comes_while_rows_are_copied_is_left_out_whole(log: DealLog, tmp_path: Path) -> None:
    copy_log(Growing(log), tmp_path / "copy.db")  # type: ignore[arg-type]
    with recorder_at(tmp_path / "copy.db") as copy:
        assert copy.head() == len(TOLD) == log.head() - 1
        assert copy.command("ann", "late") is None
        assert copy.checkpoints() == []
        assert len(list(copy.commands())) == len(TOLD)


def test_a_disk_that_is_full_leaves_nothing_half(log: DealLog, tmp_path: Path) -> None:
    log.append([Batch(f"deal:m-{number}", 0, notes(20)) for number in range(40)])
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from store.backups.backup import back_up\n"
        "from store.errors import StoreError\n"
        "from store.location import Location\n"
        "from store.log import DealLog\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with DealLog.open(Location.parse(sys.argv[1])) as log:\n"
        "    log.head()\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "    try:\n"
        "        back_up(log, Path(sys.argv[2]))\n"
        "    except StoreError as error:\n"
        "        print(type(error).__name__)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(log.location), str(tmp_path / "b")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout in {"StoreFull\n", "StoreUnavailable\n"}
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert back_up(log, tmp_path / "b").events == log.head()


# What is taken for a backup.


def test_a_backup_is_made_a_log_again(log: DealLog, tmp_path: Path) -> None:
    done = back_up(log, tmp_path / "b")
    made_at = unmark(done.log)
    assert made_at < log.now()
    with recorder_at(done.log) as copy:
        assert copy.properties() == log.records.properties()
    with pytest.raises(NotABackup, match="a log in use"):
        unmark(done.log)


def test_other_files_are_refused_in_clear_words(
    log: DealLog, location: Location, tmp_path: Path
) -> None:
    done = back_up(log, tmp_path / "b")
    other = tmp_path / "other"
    other.write_text("hello")
    create_key_file(tmp_path / "x.key")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("CREATE TABLE t (x)")
    for path, words in (
        (other, "not a backup"),
        (tmp_path / "x.key", "not a backup"),
        (done.keys, "of another kind"),
        (tmp_path / "other.db", "of another kind"),
        (location.log, "a log in use"),
    ):
        with pytest.raises(NotABackup, match=words):
            unmark(path)


def test_a_truncated_backup_is_refused(log: DealLog, tmp_path: Path) -> None:
    whole = back_up(log, tmp_path / "b").log.read_bytes()
    for size in (0, 10, 100, 4096, len(whole) // 2, len(whole) - 4096, len(whole) - 1):
        path = tmp_path / "cut"
        path.write_bytes(whole[:size])
        with pytest.raises(NotABackup):
            unmark(path)


def test_a_command_that_was_changed_is_noticed(log: DealLog, tmp_path: Path) -> None:
    done = back_up(log, tmp_path / "b")
    with closing(sqlite3.connect(done.log)) as connection, connection:
        connection.execute("UPDATE commands SET last_version = 7 WHERE command_id = 'told-3'")
    with pytest.raises(NotABackup, match="its commands"):
        unmark(done.log)


def test_a_backup_of_a_newer_release_is_told(log: DealLog, tmp_path: Path) -> None:
    done = back_up(log, tmp_path / "b")
    with closing(sqlite3.connect(done.log)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NotABackup, match="another release"):
        unmark(done.log)


@pytest.mark.parametrize(
    ("number", "advice"), [(errno.ENOSPC, "Free some space"), (errno.EACCES, "their permissions")]
)
def test_errors_of_files_say_what_helps(tmp_path: Path, number: int, advice: str) -> None:
    part = f"{tmp_path / 'b'}.part"
    with pytest.raises(StoreError, match=advice) as caught, writing_errors(tmp_path / "b"):
        raise OSError(number, "why", part)
    assert caught.value.message == f"{tmp_path / 'b'} cannot be read or written: why"
