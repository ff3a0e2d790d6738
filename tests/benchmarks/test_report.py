"""What is printed and written."""

from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.harness import Spread
from tests.benchmarks.report import Report, duration, ratio
from tests.benchmarks.rows import ROWS
from tests.benchmarks.run import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2.5, "2.50 s"),
        (0.0214, "21.4 ms"),
        (0.000_123_4, "123 µs"),
        (0.000_000_04, "0.04 µs"),
        (1234, "1,234 s"),
    ],
)
def test_durations_have_three_figures_and_a_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_ratios_show_their_spread() -> None:
    assert ratio(Spread(0.514, 0.4, 0.61)) == "0.51 (0.40 to 0.61)"
    assert ratio(Spread(3.0, 3.0, 3.0)) == "3.00"
    assert ratio(None) == ""


def test_a_run_prints_its_command_and_versions_and_writes_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.json"
    arguments = ["--events", "40", "--rounds", "1", "--only", "append", "--folder", str(tmp_path)]
    main([*arguments, "--json", str(figures)])
    printed = capsys.readouterr().out
    assert f"$ python -m tests.benchmarks.run {' '.join(arguments)}" in printed
    assert "SQLite 3." in printed
    assert "eventsourcing 9." in printed
    assert "append: Bulk append of imported events, one process (1 round of 40 events)" in printed
    report = msgspec.json.decode(figures.read_bytes(), type=Report)
    [result] = report.results
    assert (result.name, result.log_events, set(result.seconds)) == (
        "append",
        40,
        {"ours", "floor", "stock"},
    )


def test_the_page_is_not_written_from_some_rows_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "append", "--write", str(tmp_path / "page.md")])
    assert "the page shows all rows" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_page_explains_every_row() -> None:
    page = PAGE.read_text(encoding="utf-8")
    explained = page.partition("## What each row does")[2]
    assert [name for name in ROWS if f"(`{name}`)" not in explained] == []
