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
    assert told[2] == f"Encrypted fields: {found.fields_opened} open, 0 are erased."


def test_the_first_bad_event_is_named(own_store: str, write: Run) -> None:
    spoiled = "UPDATE stored_events SET state = CAST(state || ' ' AS BLOB)"
    change(own_store, f"{spoiled} WHERE position IN (10, 12)")
    result = write("audit", "fsck")
    assert result.exit_code == 3
    first, second, *rest = result.stdout.splitlines()
    assert first == (
        "changed: event 10, version 5 of deal:d-press: its bytes are not those that were sealed"
    )
    assert second.startswith("changed: event 12")
    assert rest[0] == f"{EVENTS} events, 0 checkpoints: NOT as it was written."
    as_json = write("audit", "fsck", "-f", "json")
    assert as_json.exit_code == 3
    assert '"index": 9' in as_json.stdout


def test_a_checkpoint_kept_elsewhere_shows_what_nothing_else_does(
    own_store: str, write: Run, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    write("audit", "checkpoint", "--to", str(kept))
    for table in ("stored_events", "edge"):
        change(own_store, f"DELETE FROM {table} WHERE position = {EVENTS}")
    change(own_store, "DELETE FROM checkpoints")
    assert write("audit", "fsck").exit_code == 0
    result = write("audit", "fsck", "--checkpoint", str(kept))
    assert result.exit_code == 3
    assert f"the checkpoint in {kept} does not hold" in result.stdout


@pytest.mark.parametrize("content", [b"hello", b"\xff"])
def test_a_file_that_is_no_checkpoint_is_told(write: Run, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    assert write("audit", "fsck", "--checkpoint", str(file)).exit_code == (
        3 if content.isascii() else 2
    )


def test_a_checkpoint_file_that_is_not_there_is_a_usage_error(write: Run, tmp_path: Path) -> None:
    assert write("audit", "fsck", "--checkpoint", str(tmp_path / "no")).exit_code == 2


def test_lost_keys_are_told_only_when_fields_are_opened(own_store: str, write: Run) -> None:
    keys = own_store.replace("deals.db", "deals.keys.db")
    change(keys, "DELETE FROM keys WHERE kind = 'deal'")
    assert write("audit", "fsck").exit_code == 0
    result = write("audit", "fsck", "--fields")
    assert result.exit_code == 3
    assert "field-does-not-open: event 8" in result.stdout
    assert "nobody erased it" in result.stdout


def test_it_takes_the_right_to_audit(write: Run) -> None:
    write("users", "grant", "u-anna", "admin")
    result = write("audit", "fsck", "--as", "u-anna")
    assert result.exit_code == 1
    assert "not-allowed" in result.stderr
