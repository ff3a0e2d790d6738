"""`dealstate import` and `dealstate simulate`: what the command line adds to them."""

import json
from pathlib import Path

import pytest

from api.simulate import SimulationReport
from api.wire.health import StoreStatus
from api.wire.proofs import KeptCheckpoints
from tests.api.cli.conftest import Run, run_command

PIPELINE = """\
opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
D-1,Anna Lee,GTXPro,Acme,Won,2017-01-05,2017-02-06,1054
D-2,Ben Ito,MG Special,Acme,Engaging,2017-03-01,,
D-3,Ben Ito,MG Special,,Won,2017-02-30,2017-03-31,1
"""
ACCOUNTS = "account,sector,employees,office_location\nAcme,retail,70,Germany\n"
TEAMS = "sales_agent,manager,regional_office\nAnna Lee,Mei Fang,West\nBen Ito,Mei Fang,West\n"
PRODUCTS = "product,series,sales_price\nGTX Pro,GTX,4821\nMG Special,MG,55\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export as the shipped map expects it, with one impossible date."""
    folder = tmp_path / "export"
    folder.mkdir()
    for name, text in {
        "sales_pipeline.csv": PIPELINE,
        "accounts.csv": ACCOUNTS,
        "sales_teams.csv": TEAMS,
        "products.csv": PRODUCTS,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def status_of(url: str) -> StoreStatus:
    return run_command("--db", url, "status", "--format", "json").read(StoreStatus)


def importing(url: str, folder: Path, *args: str) -> tuple[str, ...]:
    return ("--db", url, "import", str(folder), "--from", "csv", "--map", "maven-crm", *args)


def test_an_import_makes_the_store_and_says_so(nowhere: str, folder: Path) -> None:
    result = run_command(*importing(nowhere, folder))
    assert result.exit_code == 0
    assert f"Made a new store at {nowhere}." in result.stderr
    assert "2 new" in result.stdout
    assert "impossible-date (1)" in result.stdout
    assert "sales_pipeline.csv:4: D-3" in result.stdout
    status = status_of(nowhere)
    assert status.deals == 2
    assert {model.lag_events for model in status.models} == {0}


def test_imports_and_simulations_end_with_a_checkpoint(nowhere: str, folder: Path) -> None:
    def sizes() -> list[int]:
        listed = run_command("--db", nowhere, "audit", "checkpoints", "-f", "json")
        return [one.size for one in listed.read(KeptCheckpoints).checkpoints]

    run_command("--db", nowhere, "simulate", "--deals", "2", "--months", "3")
    made_up = status_of(nowhere).events
    assert sizes() == [0, made_up]
    run_command(*importing(nowhere, folder, "--dry-run"))
    assert sizes() == [0, made_up]
    run_command(*importing(nowhere, folder))
    assert sizes() == [0, made_up, status_of(nowhere).events]
    assert status_of(nowhere).events > made_up


def test_importing_again_adds_nothing(nowhere: str, folder: Path) -> None:
    run_command(*importing(nowhere, folder))
    events = status_of(nowhere).events
    again = run_command(*importing(nowhere, folder))
    assert "Made a new store" not in again.stderr
    assert status_of(nowhere).events == events


def test_the_source_is_named_after_the_map_unless_named(nowhere: str, folder: Path) -> None:
    run_command(*importing(nowhere, folder))
    named = run_command(*importing(nowhere, folder, "--source", "other"))
    assert named.exit_code == 0
    assert status_of(nowhere).deals == 4
    sources = run_command("--db", nowhere, "audit", "trail", "--format", "csv").stdout
    assert "import:maven-crm" in sources
    assert "import:other" in sources


def test_a_dry_run_makes_no_store(nowhere: str, folder: Path, tmp_path: Path) -> None:
    result = run_command(*importing(nowhere, folder, "--dry-run"))
    assert result.exit_code == 0
    assert "2 new" in result.stdout
    assert list(tmp_path.iterdir()) == [folder]


def test_the_report_as_json_and_in_a_file(nowhere: str, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "gaps.json"
    result = run_command(*importing(nowhere, folder, "--format", "json", "--report", str(file)))
    printed = json.loads(result.stdout)
    assert printed["counts"]["deals"] == 2
    assert printed["kinds"]["impossible-date"] == 1
    assert json.loads(file.read_text(encoding="utf-8")) == printed


def test_the_one_who_imports_is_the_one_who_acts(nowhere: str, folder: Path) -> None:
    result = run_command("--as", "importer", *importing(nowhere, folder))
    assert result.exit_code == 0
    trail = run_command("--db", nowhere, "audit", "trail", "--actor", "importer")
    assert "published the process" in trail.stdout


@pytest.mark.parametrize(
    ("args", "exit_code", "complaint"),
    [
        (["--from", "csv", "--map", "nope"], 1, "there is no map 'nope'"),
        (["--from", "csv"], 1, "needs a map"),
        (["--from", "salesforce"], 1, "there is no Opportunity.csv"),
        (["--from", "csv", "--map", "maven-crm", "--source", "Two Words"], 1, "not a name for"),
        (["--from", "csv", "--map", "maven-crm", "--timezone", "Mars"], 1, "is no time zone"),
        (["--from", "csv", "--map", "maven-crm", "--currency", "XXX"], 1, "is no currency code"),
        (["--from", "csv", "--map", "maven-crm", "--report", "."], 2, "cannot write"),
        (["--from", "csv", "--map", "maven-crm", "--process", "nope.toml"], 2, "cannot read"),
        (["--from", "sheets"], 2, "--from"),
        ([], 2, "--from"),
    ],
)
def test_imports_that_cannot_be(
    nowhere: str, folder: Path, args: list[str], exit_code: int, complaint: str
) -> None:
    result = run_command("--db", nowhere, "import", str(folder), *args)
    assert result.exit_code == exit_code
    assert complaint in result.stderr


def test_a_process_file_that_is_none_is_told_with_its_lines(
    nowhere: str, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "broken.toml"
    file.write_text('id = "x"\nstages = 3\n', encoding="utf-8")
    result = run_command(*importing(nowhere, folder, "--process", str(file)))
    assert result.exit_code == 1
    assert f"{file}:2: error" in result.stderr


@pytest.mark.parametrize("path", ["missing", "missing.csv"])
def test_files_that_are_not_there(nowhere: str, tmp_path: Path, path: str) -> None:
    result = run_command(*importing(nowhere, tmp_path / path))
    assert result.exit_code == 1
    assert "(import-failed)" in result.stderr


def test_a_simulation_fills_a_store_and_adds_to_it(nowhere: str) -> None:
    simulating = ("--db", nowhere, "simulate", "--seed", "3", "--months", "12")
    first = run_command(*simulating, "--deals", "4")
    assert "Made a new store" in first.stderr
    assert first.stdout.startswith("Added 4 deals")
    more = run_command(*simulating, "--deals", "6", "--format", "json").read(SimulationReport)
    assert (more.deals_added, more.deals_present) == (2, 4)
    assert status_of(nowhere).deals == 6
    assert run_command(*simulating, "--deals", "6").stdout.startswith("Nothing to add")


def test_a_simulation_of_other_months_is_refused(nowhere: str) -> None:
    run_command("--db", nowhere, "simulate", "--deals", "2", "--months", "12")
    result = run_command("--db", nowhere, "simulate", "--deals", "2", "--months", "6")
    assert result.exit_code == 1
    assert "Choose another seed" in result.stderr


def test_a_simulation_with_causes_says_which(nowhere: str) -> None:
    simulating = ("--db", nowhere, "simulate", "--deals", "2", "--months", "12")
    result = run_command(*simulating, "--causes", "minutes-missing")
    assert "Planted causes, each in 35% of the deals: minutes-missing." in result.stdout
    assert "other causes" in run_command(*simulating, "--causes", "none").stderr
    refused = run_command(*simulating, "--causes", "bad-luck")
    assert refused.exit_code == 2
    assert "solution-too-early" in refused.stderr


@pytest.mark.parametrize(
    "args", [["--deals", "0"], ["--months", "0"], ["--until", "soon"], ["--seed", "x"]]
)
def test_careless_numbers_are_usage_errors(run: Run, args: list[str]) -> None:
    assert run("simulate", *args).exit_code == 2
