"""`dealstate audit fsck`: sound or not, told and by exit code."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from api.wire.proofs import LogCheck
from tests.api.cli.conftest import Run
from tests.api.small_store import EVENTS

PERSONAL_FIELDS = 11
"""Names of users and their free texts, in the small store."""


def change(store: str, statement: str) -> None:
    with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as log:
        log.execute(statement)
        log.commit()


def test_a_log_as_it_was_written_is_sound(write: Run) -> None:
    write("audit", "checkpoint")
    found = write("audit", "fsck", "--fields", "-f", "json").read(LogCheck)
    assert (found.sound, found.events, found.checkpoints) == (True, EVENTS, 1)
    assert (found.problems, found.others, found.fields_erased) == ([], 0, 0)
    assert found.fields_opened == PERSONAL_FIELDS
    told = write("audit", "fsck", "--fields").lines
    assert told[0] == f"{EVENTS} events, 1 checkpoints: as it was written."
    assert told[1] == f"Root hash {found.root}"
    assert told[2] == f"Encrypted fields: {found.fields_opened} open, 0 are erased, 0 are lost."


def test_the_first_bad_event_is_named(own_store: str, write: Run) -> None:
    spoiled = "UPDATE stored_events SET state = CAST(state || ' ' AS BLOB)"
    change(own_store, f"{spoiled} WHERE position IN (10, 12)")
    result = write("audit", "fsck")
    assert result.exit_code == 3
    first, second, *rest = result.stdout.splitlines()
    assert first == (
        "changed: position 10, version 5 of deal:d-press (P-1): its bytes are not those that were"
        " sealed"
    )
    assert second.startswith("changed: position 12, version 7 of deal:d-press (P-1)")
    assert rest[0] == f"{EVENTS} events, 0 checkpoints: NOT as it was written."
    as_json = write("audit", "fsck", "-f", "json")
    assert as_json.exit_code == 3
    assert '"position": 10' in as_json.stdout
    assert '"reference": "P-1"' in as_json.stdout


def test_a_place_that_is_known_roughly_is_told_as_a_range(
    own_store: str, write: Run, tmp_path: Path
) -> None:
    write("audit", "checkpoint", "--to", str(tmp_path / "first"))
    write("users", "add", "new", "New")
    write("audit", "checkpoint", "--to", str(tmp_path / "second"))
    for table in ("stored_events", "edge"):
        change(own_store, f"DELETE FROM {table} WHERE position > {EVENTS - 2}")
    change(own_store, "DELETE FROM checkpoints")
    told = write("audit", "fsck", "--checkpoint", str(tmp_path / "second")).stdout.splitlines()[0]
    where = f"among the positions {EVENTS - 1} to {EVENTS + 1}"
    assert told.startswith(f"checkpoint-does-not-hold: {where}: ")
    assert told.endswith(f"the log has {EVENTS - 2} events only")


def test_a_checkpoint_kept_elsewhere_shows_what_nothing_else_does(
    own_store: str, write: Run, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    write("audit", "checkpoint", "--to", str(kept))
    for table in ("stored_events", "edge"):
        change(own_store, f"DELETE FROM {table} WHERE position = {EVENTS}")
    change(own_store, "DELETE FROM checkpoints")
    change(own_store, "DELETE FROM commands")
    remembered = write("audit", "fsck")
    assert remembered.exit_code == 3
    assert "the keys know to be signed last" in remembered.stdout
    assert "Warning" in remembered.stderr
    assert write("audit", "checkpoint").exit_code == 3
    keys = own_store.replace("deals.db", "deals.keys.db")
    change(keys, "DELETE FROM properties WHERE name = 'signed'")
    assert write("audit", "fsck").exit_code == 0
    result = write("audit", "fsck", "--checkpoint", str(kept))
    assert result.exit_code == 3
    assert f"the checkpoint in {kept} does not hold" in result.stdout


@pytest.mark.parametrize("content", [b"hello", b"\xff", b"deals+0123abcd+AAAA\n"])
def test_a_file_that_is_no_checkpoint_is_told(write: Run, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    result = write("audit", "fsck", "--checkpoint", str(file))
    assert result.exit_code == 2
    assert "is not a" in result.stderr


def test_a_checkpoint_file_that_is_not_there_is_a_usage_error(write: Run, tmp_path: Path) -> None:
    assert write("audit", "fsck", "--checkpoint", str(tmp_path / "no")).exit_code == 2


def test_lost_keys_are_told_only_when_fields_are_opened(own_store: str, write: Run) -> None:
    keys = own_store.replace("deals.db", "deals.keys.db")
    change(keys, "DELETE FROM keys WHERE kind = 'deal'")
    assert write("audit", "fsck").exit_code == 0
    result = write("audit", "fsck", "--fields")
    assert result.exit_code == 3
    assert "field-does-not-open: position 8" in result.stdout
    assert "nobody erased it" in result.stdout


def test_it_takes_the_right_to_audit(write: Run) -> None:
    write("users", "grant", "u-anna", "admin")
    result = write("audit", "fsck", "--as", "u-anna")
    assert result.exit_code == 1
    assert "not-allowed" in result.stderr


def test_what_nobody_has_signed_is_said(write: Run) -> None:
    write("audit", "checkpoint")
    assert "nobody" not in write("audit", "fsck").stdout
    write("users", "add", "new", "New")
    told = write("audit", "fsck").lines
    assert told[1] == f"Event {EVENTS + 1} is sealed, but nobody has signed it yet."
    write("users", "add", "newer", "Newer")
    told = write("audit", "fsck").lines
    assert told[1].startswith(f"Events {EVENTS + 1} to {EVENTS + 2} are sealed, but nobody has")


def test_a_log_that_was_cut_off_can_still_be_looked_into(
    own_store: str, write: Run, tmp_path: Path
) -> None:
    write("audit", "checkpoint")
    for table in ("stored_events", "edge"):
        change(own_store, f"DELETE FROM {table} WHERE position = {EVENTS}")
    change(own_store, "DELETE FROM checkpoints")
    refused = write("users", "list")
    assert refused.exit_code == 1
    assert f"has {EVENTS - 1} events, and {EVENTS} were signed" in refused.stderr
    assert "dealstate audit fsck" in refused.stderr
    looked = write("status")
    assert looked.exit_code == 0
    assert "events are gone" in looked.stderr
    assert write("backup", str(tmp_path / "b")).exit_code == 3
    assert not (tmp_path / "b").exists()


def test_without_keys_signatures_are_checked_with_those_that_are_named(
    write: Run, tmp_path: Path
) -> None:
    write("audit", "checkpoint")
    write("keys", "show", "--public", "-o", str(tmp_path / "deals.vkey"))
    unchecked = write("--kek", "none", "audit", "fsck").lines
    assert "as it was written" in unchecked[0]
    assert unchecked[-1].startswith("Signatures were NOT checked")
    named = write("--kek", "none", "audit", "fsck", "--key", str(tmp_path / "deals.vkey")).lines
    assert named[-1] == "Signatures were checked with the keys given by --key."
    other = "x+74c5dd7c+AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
    assert write("--kek", "none", "audit", "fsck", "--key", other).exit_code in {2, 3}
    for refused in (("audit", "checkpoint"), ("audit", "fsck", "--fields")):
        result = write("--kek", "none", *refused)
        assert result.exit_code == 1
        assert "opened without its keys" in result.stderr


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE checkpoints SET note = 'x'", "checkpoint-does-not-hold"),
        ("UPDATE edge SET hash = x'00'", "changed"),
        ("DELETE FROM properties", "property-changed"),
        ("CREATE TRIGGER t AFTER INSERT ON edge BEGIN SELECT 1; END", "tables-changed"),
    ],
)
def test_whatever_is_damaged_is_named_and_never_a_fault(
    own_store: str, write: Run, statement: str, kind: str
) -> None:
    write("audit", "checkpoint")
    change(own_store, statement)
    result = write("audit", "fsck")
    assert result.exit_code == 3
    assert f"{kind}: " in result.stdout
    assert write("status").exit_code in {0, 1, 3}
    assert write("audit", "checkpoint").exit_code in {0, 1, 3}
    assert write("audit", "checkpoints").exit_code in {0, 1, 3}
