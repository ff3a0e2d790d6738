"""`dealstate erase`: tells first, asks, erases, and hides nothing that is left."""

from pathlib import Path

import pytest

from api.wire.keeping import ErasureReport
from store.forgetting.known import read_erasures
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import Run, run_command
from tests.store.people import GONE, NAME, PERSON, TOLD, told_log


@pytest.fixture
def url(tmp_path: Path) -> str:
    location = Location.beside(tmp_path / "x.db")
    told_log(location).close()
    return str(location)


@pytest.fixture
def run(url: str) -> Run:
    return lambda *args, **more: run_command("--db", url, *args, **more)


def head(url: str) -> int:
    with DealLog.open(Location.parse(url)) as log:
        return log.head()


def test_a_dry_run_tells_and_changes_nothing(run: Run, url: str) -> None:
    told = run("erase", PERSON, "--dry-run")
    assert told.lines[:3] == [
        "Person      p-nadja",
        "Appears as  d-1/nadja, d-2/buyer",
        "Would be gone:",
    ]
    assert "  d-1  note-added.text  1 event" in told.lines
    assert "  d-1  version 2  note-added.text" in told.lines
    assert head(url) == len(TOLD)


def test_the_answer_as_json(run: Run) -> None:
    planned = run("erase", PERSON, "--dry-run", "--format", "json").read(ErasureReport)
    done = run("erase", PERSON, "--yes", "--format", "json").read(ErasureReport)
    assert (planned.carried_out, done.carried_out) == (False, True)
    assert {(g.deal, g.type, g.field): g.events for g in done.gone} == GONE
    assert planned.gone == done.gone
    assert [(t.deal, t.version) for t in done.texts_left] == [("d-1", 2)]
    assert (done.keys_destroyed, done.events_appended, done.commands_cleared) == (1, 2, 6)


def test_it_asks_first(run: Run, url: str) -> None:
    declined = run("erase", PERSON, stdin="n\n")
    assert declined.exit_code == 1
    assert "Would be gone:" in declined.stderr
    assert head(url) == len(TOLD)
    assert run("erase", PERSON, stdin="y\n").exit_code == 0
    assert head(url) == len(TOLD) + 2


def test_a_name_is_enough_and_then_it_is_gone(run: Run) -> None:
    assert (
        "1 key destroyed, 2 events appended, 6 commands cleared."
        in run("erase", NAME, "--yes", "--reason", "asked by letter").lines
    )
    for command in ("map", "show", "replay"):
        told = run(command, "d-1").stdout
        assert "[erased]" in told
        assert "李娜" not in told.replace("李娜 rang before", "")
    trail = run("audit", "trail", "d-1").stdout
    assert "asked by letter" in trail
    assert run("erase", NAME, "--yes").exit_code == 1
    assert "Nothing of them" in run("erase", PERSON, "--yes").stdout


def test_nobody_and_several_are_told(run: Run) -> None:
    refused = run("erase", "Nobody", "--yes")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "person-not-found" in refused.stderr
    run("record", "d-1", "identify-stakeholder", "--data", f'{{"id": "n", "name": "{NAME}"}}')
    several = run("erase", NAME, "--yes")
    assert several.exit_code == 1
    assert "  d-1/n  on d-1/n" in several.stderr.splitlines()


@pytest.mark.parametrize("reason", ["Nadja wrote", "x" * 100_000, " "])
def test_a_reason_that_cannot_be_recorded_is_refused(run: Run, url: str, reason: str) -> None:
    assert run("erase", PERSON, "--yes", "--reason", reason).exit_code in {1, 2}
    assert head(url) == len(TOLD)


def test_it_takes_the_right_to_erase(run: Run, url: str) -> None:
    run("users", "add", "u-1", "Uwe")
    run("users", "grant", "u-1", "seller")
    before = head(url)
    refused = run("--as", "u-1", "erase", PERSON, "--yes")
    assert refused.exit_code == 1
    assert "not-allowed" in refused.stderr
    assert head(url) == before
    run("users", "grant", "u-1", "admin")
    assert run("--as", "u-1", "erase", PERSON, "--yes").exit_code == 0


def test_erasures_are_exported_as_hashes(run: Run, url: str, tmp_path: Path) -> None:
    run("erase", PERSON, "--yes", "--export", str(tmp_path / "erasures.txt"))
    text = (tmp_path / "erasures.txt").read_text()
    assert "nadja" not in text
    with DealLog.open(Location.parse(url)) as log:
        assert read_erasures(tmp_path / "erasures.txt").hashes == tuple(log.keys.erased_hashes())
    assert run("erase").exit_code == 2
    assert run("erase", "--export", str(tmp_path / "no" / "x")).exit_code == 2


def test_what_was_cut_short_is_finished_and_told(run: Run, url: str) -> None:
    with DealLog.open(Location.parse(url)) as log:
        log.keys.begin_erasure(["person:p-nadja"], "person:p-nadja")
    told = run("map", "d-1")
    assert "Finished an erasure that was cut short." in told.stderr
    assert "[erased]" in told.stdout
    assert "Finished" not in run("map", "d-1").stderr


def test_a_script_of_a_source_cannot_bring_them_back(run: Run, url: str, tmp_path: Path) -> None:
    run("erase", PERSON, "--yes")
    before = head(url)
    script = tmp_path / "notes.txt"
    identified = '{"id": "again", "name": "Nadja", "person": "p-nadja"}'
    script.write_text(f"identify-stakeholder --data '{identified}'\n", encoding="utf-8")
    refused = run("record", "d-1", "--script", str(script), "--source", "crm")
    assert refused.exit_code == 1
    assert "person-erased" in refused.stderr
    assert head(url) == before


def test_people_are_looked_up_by_a_part_of_a_name(run: Run) -> None:
    found = run("erase", "--find", NAME[1:5].upper())
    assert found.exit_code == 0
    (row,) = [line for line in found.lines if "p-nadja" in line]
    assert row.split("  ")[0] == NAME
    assert row.endswith("d-1/nadja, d-2/buyer")
    nobody = run("erase", "--find", "nobody at all")
    assert (nobody.exit_code, nobody.stderr.strip()) == (
        0,
        "Nobody has that in a name that can still be read.",
    )
    assert "dealstate erase --find" in run("erase", "Nobody At All").stderr


def test_deals_are_called_as_people_call_them(run: Run) -> None:
    data = '{"name": "Crane", "owner": "ann", "currency": "USD", "reference": "R-7"}'
    assert run("record", "new", "open-opportunity", "--data", data).exit_code == 0
    one = '{"id": "li", "name": "Wen Li"}'
    assert run("record", "R-7", "identify-stakeholder", "--data", one).exit_code == 0
    assert "Appears as  R-7/li" in run("erase", "Wen Li", "--dry-run").lines
