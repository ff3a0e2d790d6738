"""The command line as a whole: what is loaded when, global options, help, broken input."""

import subprocess
import sys
from importlib.metadata import version

import pytest
import typer

from api.cli.root import COMMANDS, hoisted
from tests.api.cli.conftest import Run, run_command

GROUPS = ("audit", "process", "users", "units", "limits", "rates", "targets", "keys", "webhooks")

_LOADED = """\
import sys
sys.argv = ["dealstate", *{args!r}]
from api.cli.entry import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("\\n" + " ".join(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def modules_loaded(*args: str) -> set[str]:
    """Top-level names of the modules that a command loads, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED.format(args=list(args))],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_needs_nothing_else(option: str) -> None:
    assert modules_loaded(option) & {"typer", "rich", "msgspec", "domain", "sqlalchemy"} == set()


def test_reading_commands_do_not_load_the_server(small_store: str) -> None:
    for args in (["deals"], ["pipeline"], ["replay", "P-1"], ["audit", "trail", "P-1"]):
        loaded = modules_loaded("--db", small_store, *args)
        assert loaded & {"fastapi", "starlette", "uvicorn", "pydantic_settings"} == set()
        assert "sqlalchemy" in loaded


def test_help_does_not_load_the_server() -> None:
    assert modules_loaded("--help") & {"fastapi", "starlette", "uvicorn"} == set()


def test_the_version_is_that_of_the_distribution() -> None:
    assert run_command("--version", "deals").stdout == f"dealstate {version('dealstate')}\n"


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_every_command(option: str) -> None:
    lines = run_command(option).lines
    listed = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line]
    assert listed[: len(COMMANDS)] == list(COMMANDS)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in GROUPS])
def test_every_command_has_examples(command: str) -> None:
    _, _, examples = run_command(command, "--help").stdout.partition("Examples:")
    assert f" {command}" in examples


@pytest.mark.parametrize("args", [[], *([group] for group in GROUPS)])
def test_without_a_command_there_is_help(args: list[str]) -> None:
    result = run_command(*args)
    assert result.exit_code == 2
    assert "Commands:" in result.stdout + result.stderr


@pytest.mark.parametrize("args", [["dels"], ["deals", "show"], ["--colour", "deals"]])
def test_what_is_no_command_is_a_usage_error(args: list[str]) -> None:
    assert run_command(*args).exit_code == 2


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["deals", "--db", "x"], ["--db", "x", "deals"]),
        (["deals", "--db=x", "--limit", "2"], ["--db=x", "deals", "--limit", "2"]),
        (["record", "a", "b", "--as", "me"], ["--as", "me", "record", "a", "b"]),
        (["pipeline", "--timezone", "UTC"], ["--timezone", "UTC", "pipeline"]),
        (["keys", "show", "--kek", "env:X"], ["--kek", "env:X", "keys", "show"]),
        (["import", "f", "--timezone", "UTC"], ["import", "f", "--timezone", "UTC"]),
        (["--timezone", "UTC", "import", "f"], ["--timezone", "UTC", "import", "f"]),
        (["show", "--", "--db"], ["show", "--", "--db"]),
    ],
)
def test_global_options_may_stand_anywhere(args: list[str], expected: list[str]) -> None:
    assert hoisted(args) == expected


def test_what_is_none_of_the_choices_is_told_in_our_words(run: Run) -> None:
    result = run("figures", "--per", "day")
    assert result.exit_code == 2
    assert "'--per': 'day' is not one of 'month', 'quarter', 'year'." in result.stderr


def test_a_global_option_needs_its_value() -> None:
    with pytest.raises(typer.BadParameter, match="requires an argument"):
        hoisted(["deals", "--db"])


def test_global_options_behind_the_command_count(small_store: str, nowhere: str) -> None:
    result = run_command("--db", nowhere, "deals", "--db", small_store)
    assert result.exit_code == 0
    assert "P-1" in result.stdout


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "", "Asia"])
def test_a_time_zone_that_is_none_is_a_usage_error(run: Run, zone: str) -> None:
    result = run("--timezone", zone, "deals")
    assert result.exit_code == 2
    assert "--timezone" in result.stderr


def test_the_time_zone_can_come_from_the_environment(run: Run) -> None:
    text = run("replay", "P-1", DEALSTATE_TIMEZONE="Asia/Shanghai").stdout
    assert "2026-01-05 17:00" in text


@pytest.mark.parametrize("args", [["show", "\udcff"], ["deals", "--search", "a\udcffb"]])
def test_arguments_that_are_no_text_are_usage_errors(run: Run, args: list[str]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert "is not valid text" in result.stderr


def test_a_reader_that_goes_away_is_no_fault(small_store: str) -> None:
    command = f"{sys.executable} -c 'from api.cli.entry import main; main()' --db {small_store}"
    done = subprocess.run(
        f"{command} audit trail --format csv | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("position,")
    assert "Traceback" not in done.stderr
