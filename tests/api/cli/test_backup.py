"""`dealstate backup` and `restore`: what they say, and how they end."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from api.wire.keeping import BackupReport, RestoreReport
from store.forgetting.known import read_erasures
from store.location import Location
from store.log import DealLog
from store.notary import Notary
from tests.api.cli.conftest import Result, run_command
from tests.store.people import NAME, PERSON, TOLD, told_log


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a store `x`, and the key file for one at `y`."""
    told_log(Location.beside(tmp_path / "x.db")).close()
    shutil.copy(tmp_path / "x.key", tmp_path / "y.key")
    return tmp_path


def run(folder: Path, store: str, *args: str) -> Result:
    return run_command("--db", f"sqlite:///{folder / store}.db", *args)


def save(folder: Path, name: str = "b") -> str:
    assert run(folder, "x", "backup", str(folder / name)).exit_code == 0
    return str(folder / name)


def test_a_backup_says_what_it_holds_and_what_it_does_not(folder: Path) -> None:
    done = run(folder, "x", "backup", str(folder / "b"))
    assert done.lines[0] == f"Log         {folder / 'b'}, {len(TOLD)} events"
    assert done.lines[1] == f"Keys        {folder / 'b.keys'}"
    assert "The key file, which opens the keys, is not in the backup" in done.stderr
    again = run(folder, "x", "backup", str(folder / "b"))
    assert again.exit_code == 1
    assert "there already" in again.stderr


def test_backup_and_restore_as_json(folder: Path) -> None:
    keys = str(folder / "k")
    saved = run(folder, "x", "backup", str(folder / "b"), "--keys", keys, "--format", "json").read(
        BackupReport
    )
    assert (saved.keys, saved.events) == (keys, len(TOLD))
    restored = run(folder, "y", "restore", saved.log, "--keys", keys, "--format", "json").read(
        RestoreReport
    )
    assert (restored.events, restored.root) == (saved.events, saved.root)
    assert (restored.moved_aside, restored.missing_keys) == ([], {})
    assert run(folder, "y", "map", "d-1").stdout == run(folder, "x", "map", "d-1").stdout


def test_a_store_in_place_stops_a_restore(folder: Path) -> None:
    saved = save(folder)
    refused = run(folder, "x", "restore", saved)
    assert refused.exit_code == 1
    assert "--replace" in refused.stderr
    done = run(folder, "x", "restore", saved, "--replace")
    assert sum(line.startswith("Put aside") for line in done.lines) == 2


def test_an_older_backup_ends_with_3_unless_accepted(folder: Path) -> None:
    saved = save(folder)
    run(folder, "x", "record", "d-1", "add-note", "--data", '{"text": "later"}')
    refused = run(folder, "x", "restore", saved, "--replace")
    assert refused.exit_code == 3
    assert "backup-older" in refused.stderr
    done = run(folder, "x", "restore", saved, "--replace", "--accept-older")
    assert "Older       events 13 to 13 are gone" in done.lines
    assert "Checkpoints and receipts of the events that are gone" in done.stderr
    trail = run(folder, "x", "audit", "trail")
    assert "the former events 13 to 13 are gone" in " ".join(trail.stdout.split())


def test_a_contradicted_backup_ends_with_3_always(folder: Path) -> None:
    for name in ("x.db", "x.keys.db", "x.key"):
        shutil.copy(folder / name, folder / name.replace("x", "z"))
    run(folder, "z", "record", "d-1", "add-note", "--data", '{"text": "forged"}')
    run(folder, "z", "backup", str(folder / "forged"))
    run(folder, "x", "record", "d-1", "add-note", "--data", '{"text": "true"}')
    with DealLog.open(Location.beside(folder / "x.db")) as log:
        note = Notary(log.records, log.keys, log.now).checkpoint()
    (folder / "checkpoint").write_text(note, encoding="utf-8")
    refused = run(
        folder,
        "y",
        "restore",
        str(folder / "forged"),
        "--accept-older",
        "--checkpoint",
        str(folder / "checkpoint"),
    )
    assert refused.exit_code == 3
    assert "backup-contradicted" in refused.stderr


def test_what_was_erased_since_is_erased_again(folder: Path) -> None:
    saved = save(folder)
    erasures = str(folder / "erasures")
    run(folder, "x", "erase", PERSON, "--yes", "--export", erasures)
    done = run(folder, "y", "restore", saved, "--erasures", erasures)
    assert "Erased      1 keys destroyed once more" in done.lines
    assert "[erased]" in run(folder, "y", "map", "d-1").stdout


def test_keys_that_are_too_old_are_counted(folder: Path) -> None:
    saved = save(folder)
    run(folder, "x", "record", "d-1", "identify-stakeholder", "--data", '{"id":"q","name":"Quo"}')
    later = save(folder, "later")
    refused = run(folder, "y", "restore", later, "--keys", f"{saved}.keys")
    assert refused.exit_code == 1
    assert "1 of kind stakeholder" in refused.stderr
    accepted = run(
        folder, "y", "restore", later, "--keys", f"{saved}.keys", "--accept-missing-keys"
    )
    told = "Given up    1 keys of kind stakeholder; what they open reads [lost]"
    assert told in accepted.lines
    assert run(folder, "y", "map", "d-1").exit_code == 0
    assert "[lost]" in run(folder, "y", "audit", "trail", "--format", "json").stdout
    assert run(folder, "y", "erase", NAME, "--yes").exit_code == 0
    assert "Given up    1 lost keys" in run(folder, "y", "keys", "show").lines


def test_a_key_that_is_missing_is_told_and_costs_no_other_deal_anything(folder: Path) -> None:
    data = '{"id": "q", "name": "Quo"}'
    run(folder, "x", "record", "d-1", "identify-stakeholder", "--data", data)
    with closing(sqlite3.connect(folder / "x.keys.db")) as keys, keys:
        keys.execute("DELETE FROM keys WHERE id = (SELECT max(id) FROM keys)")
    assert run(folder, "x", "show", "d-1").exit_code == 1
    trail = run(folder, "x", "audit", "trail")
    assert trail.exit_code == 0
    assert "Of 1 of these a key is missing" in trail.stderr
    erased = run(folder, "x", "erase", "Nobody", "--yes")
    assert "1 name cannot be read" in erased.stderr
    assert "person-not-found" in erased.stderr


def test_a_damaged_log_yields_no_backup_and_ends_with_3(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "x.db")) as log, log:
        log.execute(
            "UPDATE stored_events SET state = CAST(replace(state, 'Press', 'Prise') AS BLOB)"
        )
    refused = run(folder, "x", "backup", str(folder / "b"))
    assert refused.exit_code == 3
    assert "log-damaged" in refused.stderr
    assert "dealstate audit fsck" in refused.stderr
    assert not (folder / "b").exists()


def test_keys_beside_the_log_are_told(folder: Path) -> None:
    together = run(folder, "x", "backup", str(folder / "b"))
    assert "side by side" in together.stderr
    (folder / "apart").mkdir()
    apart = run(folder, "x", "backup", str(folder / "c"), "--keys", str(folder / "apart" / "k"))
    assert "side by side" not in apart.stderr


def test_a_restore_that_knows_of_no_erasures_says_so(folder: Path) -> None:
    saved = save(folder)
    assert "--erasures FILE" in run(folder, "y", "restore", saved).stderr
    assert "--erasures FILE" not in run(folder, "x", "restore", saved, "--replace").stderr


def test_a_lost_log_is_told_with_what_to_do(folder: Path) -> None:
    (folder / "x.db").unlink()
    for command in ("status", "init"):
        refused = run(folder, "x", command)
        assert refused.exit_code == 1
        assert "dealstate restore FILE --replace" in refused.stderr


def test_what_was_erased_is_counted_once_and_in_one_way(folder: Path) -> None:
    exported = str(folder / "erasures")
    counts = []
    for _ in range(2):
        told = run(folder, "x", "erase", PERSON, "--yes", "--export", exported)
        counts.append(len(read_erasures(Path(exported)).hashes))
        assert f"Wrote {counts[-1]} hashes" in told.stderr
        shown = run(folder, "x", "keys", "show").lines
        assert f"Erased      {counts[-1]} hashes kept, 0 pending" in shown
    assert counts[0] == counts[1]


def test_roles_say_who_may_back_up_and_only_who_holds_the_files_restores(folder: Path) -> None:
    run(folder, "x", "users", "add", "u-1", "Uwe")
    run(folder, "x", "users", "grant", "u-1", "auditor")
    refused = run(folder, "x", "--as", "u-1", "backup", str(folder / "b"))
    assert refused.exit_code == 1
    assert "not-allowed" in refused.stderr
    run(folder, "x", "users", "grant", "u-1", "admin")
    assert run(folder, "x", "--as", "u-1", "backup", str(folder / "b")).exit_code == 0
    assert run(folder, "y", "--as", "u-1", "restore", str(folder / "b")).exit_code == 2


def test_files_that_cannot_be_read_are_told(folder: Path) -> None:
    saved = save(folder)
    assert run(folder, "y", "restore", str(folder / "nothing")).exit_code == 1
    assert run(folder, "y", "restore", saved, "--checkpoint", str(folder)).exit_code == 2
    assert run(folder, "y", "restore", saved, "--erasures", saved).exit_code == 1
    assert not (folder / "y.db").exists()
