"""`dealstate process`: list, show, check."""

from pathlib import Path

import pytest

from api.wire.processes import Process, ProcessList
from domain.process_files import BUILT_IN, built_in_processes
from tests.api.cli.conftest import Run, run_command

GOOD = """\
id = "short"
version = 1
name = "Short"

[[stages]]
id = "talk"
name = "Talk"
probability = 10
forecast = "pipeline"
expected_days = 10
"""


def test_processes_are_listed_with_or_without_a_store(run: Run, nowhere: str) -> None:
    for result in (
        run("process", "list", "--format", "json"),
        run_command("--db", nowhere, "process", "list", "--format", "json"),
    ):
        found = result.read(ProcessList).processes
        assert [one.id for one in found] == list(BUILT_IN)
        assert all(one.built_in for one in found)
    assert "key-account/1" in run("process", "list").stdout
    assert run("process", "list", "--format", "csv").lines[0].startswith("id,version,name")


@pytest.mark.parametrize("wanted", ["key-account", "key-account/1"])
def test_a_process_is_shown_whole(run: Run, wanted: str) -> None:
    shown = run("process", "show", wanted, "--format", "json").read(Process)
    told = built_in_processes().latest("key-account")
    assert [stage.id for stage in shown.stages] == [stage.id for stage in told.stages]
    assert [len(stage.gate) for stage in shown.stages] == [len(stage.gate) for stage in told.stages]
    assert shown.stages[1].name.zh == "挖掘需求 锁定目标"
    text = run("process", "show", wanted).stdout
    assert "To leave P0:" in text
    assert "(contract-reviewed, attested)" in text
    assert [step.id for step in shown.purchase_steps] == [step.id for step in told.purchase_steps]
    assert "The customer's purchase steps:\n" in text
    assert "  Bids opened (bids-opened, investigation)\n" in text


def test_a_process_without_purchase_steps_shows_none(run: Run) -> None:
    assert "purchase steps" not in run("process", "show", "five-step").stdout


@pytest.mark.parametrize(
    ("wanted", "exit_code", "complaint"),
    [
        ("nothing", 1, "(unknown-process)"),
        ("key-account/9", 1, "(unknown-process)"),
        ("key-account/one", 2, "is not a version"),
        ("key-account/0", 2, "is not a version"),
        ("key-account/", 2, "is not a version"),
    ],
)
def test_a_process_that_is_not_there(run: Run, wanted: str, exit_code: int, complaint: str) -> None:
    result = run("process", "show", wanted)
    assert result.exit_code == exit_code
    assert complaint in result.stderr


def test_a_good_file_is_a_process(tmp_path: Path) -> None:
    file = tmp_path / "short.toml"
    file.write_text(GOOD, encoding="utf-8")
    assert run_command("process", "check", str(file)).lines == [f"{file} is a process."]


def test_every_fault_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "short.toml"
    file.write_text(
        GOOD.replace("probability", "probabilty").replace("= 10\n", '= "ten"\n'), encoding="utf-8"
    )
    result = run_command("process", "check", str(file))
    assert result.exit_code == 1
    assert f"{file}:8: error: stages[0].probabilty" in result.stderr
    assert "it cannot be used" in result.stderr


def test_a_file_with_warnings_can_be_used(tmp_path: Path) -> None:
    file = tmp_path / "short.toml"
    second = GOOD[GOOD.index("[[stages]]") :].replace("talk", "sign").replace("= 10\n", "= 5\n", 1)
    file.write_text(GOOD + second, encoding="utf-8")
    result = run_command("process", "check", str(file))
    assert result.exit_code == 0
    assert "warning" in result.stderr
    assert result.stdout == f"{file} is a process, with warnings.\n"


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "short.toml"
    file.write_bytes(GOOD.encode() + b"# \xff\n")
    result = run_command("process", "check", str(file))
    assert result.exit_code == 1
    assert f"{file}:11:" in result.stderr


@pytest.mark.parametrize("name", [".", "missing.toml"])
def test_what_cannot_be_read_is_a_usage_error(name: str, tmp_path: Path) -> None:
    result = run_command("process", "check", str(tmp_path / name))
    assert result.exit_code == 2
    assert "cannot read" in result.stderr
