"""`init`, `status`, `rebuild`, and what commands say where there is no store."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from api.wire.health import RebuildResult, StoreStatus
from projections import deals
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import Run, run_command
from tests.api.small_store import DEALS, EVENTS, USERS


def views_of(url: str) -> Path:
    log = Path(url.removeprefix("sqlite:///"))
    return log.with_name(f"{log.stem}.views.db")


def test_init_makes_an_empty_store(nowhere: str) -> None:
    lines = run_command("--db", nowhere, "init").lines
    assert lines[0] == f"Made a store at {nowhere}."
    key = run_command("--db", nowhere, "keys", "show", "--public").lines[0]
    assert f"  {key}" in lines
    assert any(line.startswith("  key file  ") for line in lines)
    status = run_command("--db", nowhere, "status", "--format", "json").read(StoreStatus)
    assert (status.events, status.deals) == (0, 0)
    assert status.checkpoint is not None
    assert (status.checkpoint.size, status.checkpoint.events_after) == (0, 0)
    assert run_command("--db", nowhere, "deals").exit_code == 0


def test_init_leaves_what_is_there(small_store: str) -> None:
    result = run_command("--db", small_store, "init")
    assert result.exit_code == 1
    assert "is a log already" in result.stderr


def test_status_tells_what_the_store_holds(write: Run) -> None:
    assert write("deals").exit_code == 0
    status = write("status", "--format", "json").read(StoreStatus)
    assert (status.events, status.deals, status.users) == (EVENTS, len(DEALS), len(USERS))
    assert status.processes == 3
    assert {m.model: (m.position, m.lag_events) for m in status.models} == dict.fromkeys(
        ["audit", "deal-periods", "deals"], (EVENTS, 0)
    )
    assert status.log_bytes > 0
    assert status.views_bytes > 0


def test_status_tells_what_is_under_the_last_checkpoint(write: Run) -> None:
    assert "Checkpoint none; make one with dealstate audit checkpoint" in write("status").lines
    write("audit", "checkpoint")
    write("users", "add", "new", "New")
    (line,) = [line for line in write("status").lines if line.startswith("Checkpoint")]
    assert line.startswith(f"Checkpoint of {EVENTS} events, ")
    assert line.endswith("; 1 events since")


def test_status_tells_what_it_looked_at(write: Run, own_store: str) -> None:
    def checked() -> str:
        (line,) = [line for line in write("status").lines if line.startswith("Checked")]
        return line

    assert "sealed" not in write("status").stdout
    assert checked() == "Checked    nothing: dealstate audit fsck"
    write("audit", "checkpoint")
    assert checked() == (
        "Checked    the last checkpoint against the hashes; not the events: dealstate audit fsck"
    )
    with closing(sqlite3.connect(own_store.removeprefix("sqlite:///"))) as log, log:
        log.execute("UPDATE edge SET hash = zeroblob(32) WHERE position = 3")
    assert checked() == "Checked    the last checkpoint does NOT hold: run dealstate audit fsck"
    answer = write("status", "--format", "json").read(StoreStatus)
    assert answer.checkpoint is not None
    assert not answer.checkpoint.holds


def test_status_tells_how_far_the_read_models_are(write: Run, own_store: str) -> None:
    for file in views_of(own_store).parent.glob("*.views.db*"):
        file.unlink()
    assert "have not been built yet" in write("status").stdout
    assert write("deals").exit_code == 0
    with closing(DealLog.open(Location.parse(own_store))) as log:
        log.append([Batch("deal:d-new", 0, DEALS["d-rest"])])
    (line,) = [line for line in write("status").lines if line.startswith("deals")]
    name, version, read_up_to, behind, seconds, *_ = line.split()
    assert (name, version) == ("deals", str(deals.VERSION))
    assert (read_up_to, behind) == (str(EVENTS), "3")
    answer = write("status", "--format", "json").read(StoreStatus)
    assert {(one.lag_events, one.fits) for one in answer.models} == {(3, True)}
    assert all(one.lag_seconds is not None and one.lag_seconds >= 0 for one in answer.models)
    assert int(seconds) < 60
    assert {one.moved_by.rpartition(":")[2] for one in answer.models} == {str(os.getpid())}
    assert answer.deals == len(DEALS) + 1


def test_rebuild_builds_every_table_anew(write: Run) -> None:
    assert write("deals").exit_code == 0
    done = write("rebuild", "--format", "json").read(RebuildResult)
    assert (done.events, done.swapped, done.differences) == (EVENTS, True, None)
    assert done.rows["deals"] == len(DEALS)
    told = write("rebuild").lines
    assert told[0].startswith(f"Folded {EVENTS} events in ")
    assert "They took the place of the live ones." in told


def test_rebuild_builds_some_models_alone(write: Run) -> None:
    assert write("deals").exit_code == 0
    done = write("rebuild", "deals", "--workers", "1", "--format", "json").read(RebuildResult)
    assert done.rows.keys() == {"deals", "deal_team"}
    assert done.rows["deals"] == len(DEALS)
    assert done.rows["deal_team"] >= len(DEALS)
    assert "there are audit, deals, deal-periods" in write("rebuild", "nope").stderr
    assert write("rebuild", "nope").exit_code == 2


def test_rebuild_check_finds_nothing_where_nothing_is_wrong(write: Run) -> None:
    assert "Nothing was compared" in write("rebuild", "--check").stdout
    done = write("rebuild", "--check", "--format", "json").read(RebuildResult)
    assert done.differences == []
    assert "every live row equals the rebuilt one" in write("rebuild", "--check").stdout


def test_rebuild_check_exits_with_3_where_rows_differ(write: Run, own_store: str) -> None:
    assert write("deals").exit_code == 0
    with closing(sqlite3.connect(views_of(own_store))) as views, views:
        views.execute("UPDATE deals SET amount_minor = 1 WHERE deal_id = 'd-press'")
    result = write("rebuild", "--check")
    assert result.exit_code == 3
    assert "deals: 1 rows only live, 1 only rebuilt" in result.stdout
    assert "Run dealstate audit fsck first." in result.stdout
    as_json = write("rebuild", "--check", "--format", "json")
    assert as_json.exit_code == 3
    assert '"swapped": false' in as_json.stdout
    assert write("rebuild").exit_code == 0
    assert write("rebuild", "--check").exit_code == 0


READING = [
    ["deals"],
    ["show", "P-1"],
    ["pipeline"],
    ["replay", "P-1"],
    ["audit", "trail"],
    ["audit", "trail", "P-1"],
    ["status"],
    ["rebuild"],
    ["retry", "deals", "P-1"],
    ["worker"],
    ["serve", "--port", "0"],
    ["record", "P-1", "add-note", "--data", '{"text": "x"}'],
]


@pytest.mark.parametrize("args", READING, ids=" ".join)
def test_without_a_store_commands_say_how_to_make_one(
    args: list[str], nowhere: str, tmp_path: Path
) -> None:
    result = run_command("--db", nowhere, *args)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "there is no log at" in result.stderr
    assert "Make one with `dealstate init`." in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("deals.db", "is not the URL of a store"),
        ("mysql://host/db", "stores of kind 'mysql' are not supported"),
        ("postgresql://host", "does not name a database"),
        ("sqlite://host/x.db", "names a host"),
        ("sqlite:///", "does not name a file"),
        ("sqlite:///:memory:", "does not name a file"),
        ("sqlite:///a\0b", "does not name a file"),
        ("", "is not the URL of a store"),
    ],
)
@pytest.mark.parametrize("command", ["status", "init"])
def test_what_is_no_url_of_a_store_is_a_usage_error(command: str, url: str, complaint: str) -> None:
    result = run_command(f"--db={url}", command)
    assert result.exit_code == 2
    assert "--db" in result.stderr
    assert complaint in result.stderr


@pytest.mark.parametrize("command", ["status", "deals", "init", "rebuild"])
def test_a_file_of_another_kind_is_refused_and_left_as_it_is(command: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("These are my notes, not a database at all.", encoding="utf-8")
    result = run_command("--db", f"sqlite:///{file}", command)
    assert result.exit_code == 1
    assert "(store-unusable)" in result.stderr
    assert file.read_text(encoding="utf-8").startswith("These are my notes")


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("CREATE TABLE t (x)")
    result = run_command("--db", f"sqlite:///{file}", "deals")
    assert result.exit_code == 1
    assert "is not a log of dealstate" in result.stderr


def test_a_folder_in_place_of_a_store_is_refused(tmp_path: Path) -> None:
    for command in ("status", "init"):
        result = run_command("--db", f"sqlite:///{tmp_path}", command)
        assert result.exit_code == 1
        assert str(tmp_path) in result.stderr


def test_a_store_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    result = run_command("--db", f"sqlite:///{tmp_path}/no/such/deals.db", "init")
    assert result.exit_code == 1
    assert "there is no folder" in result.stderr


def test_read_models_that_are_damaged_are_told_and_can_be_removed(
    write: Run, own_store: str
) -> None:
    assert write("deals").exit_code == 0
    views = views_of(own_store)
    for file in views.parent.glob(f"{views.name}-*"):
        file.unlink()
    file = views.resolve()
    file.write_bytes(b"damaged" * 1000)
    result = write("deals")
    assert result.exit_code == 1
    assert str(file) in result.stderr
    file.unlink()
    assert "P-1" in write("deals").stdout


def test_the_store_can_be_named_by_the_environment(small_store: str) -> None:
    assert run_command("status", DEALSTATE_DB=small_store).exit_code == 0
