"""What is printed and written."""

from pathlib import Path

import msgspec
import pytest

from tests.benchmarks import report
from tests.benchmarks.figures import duration, megabytes, ratio
from tests.benchmarks.harness import Skipped, Spread
from tests.benchmarks.made import result, run
from tests.benchmarks.report import Report, as_text, joined
from tests.benchmarks.run import main


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


def test_memory_is_told_in_millions_of_bytes() -> None:
    assert megabytes(123_400_000) == "123 MB"


def test_percentiles_memory_and_notes_are_told() -> None:
    text = as_text(result("lag", p99=0.02))
    assert "p50 10.0 ms, p99 20.0 ms, max 40.0 ms" in text
    assert "Nothing was late." in text
    assert "at most 200 MB of memory" in as_text(result("memory-scan", peak=100e6))


def test_a_run_prints_its_command_and_versions_and_writes_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.json"
    arguments = ["--events", "40", "--rounds", "1", "--only", "append"]
    main([*arguments, "--json", str(figures)])
    printed = capsys.readouterr().out
    assert f"$ python -m tests.benchmarks {' '.join(arguments)}" in printed
    assert "SQLite 3." in printed
    assert "eventsourcing 9." in printed
    assert "append: Bulk append of imported events, one process (1 round of 40 events)" in printed
    [run] = report.read(figures).runs
    [result] = run.results
    assert (result.name, result.log_events, set(result.seconds)) == (
        "append",
        40,
        {"ours", "floor", "stock"},
    )


def test_runs_are_added_to_a_file_and_stores_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, folder = tmp_path / "figures.json", tmp_path / "kept"
    arguments = ["--rounds", "1", "--folder", str(folder), "--append-to", str(figures)]
    main([*arguments, "--events", "40", "--only", "snapshot-1"])
    log = folder / "40" / "mixed" / "ours.db"
    made = log.stat().st_ino
    main([*arguments, "--events", "40", "--only", "snapshot-3"])
    main([*arguments, "--events", "30,40", "--only", "snapshot-1"])
    assert log.stat().st_ino == made
    runs = report.read(figures).runs
    assert [[(one.name, one.log_events) for one in run.results] for run in runs] == [
        [("snapshot-3", 40)],
        [("snapshot-1", 30), ("snapshot-1", 40)],
    ]
    assert capsys.readouterr().out.count("$ python -m tests.benchmarks") == 3


def test_what_is_measured_again_takes_the_place_of_what_was_before() -> None:
    earlier = Report(
        [
            run("first", result("append", seconds=1), result("append", 100_000)),
            msgspec.structs.replace(run("second"), skipped=[Skipped("load-25", "Load", "No.")]),
        ]
    )
    later = run("third", result("append", seconds=2), result("load-25"))
    found = joined(earlier, later)
    assert [one.command for one in found.runs] == ["first", "third"]
    assert [(one.name, one.log_events) for one in found.runs[0].results] == [("append", 100_000)]
    assert found.runs[1] == later


def test_stores_alone_are_made_for_a_later_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--make", "--folder", str(tmp_path), "--events", "40", "--only", "memory-scan"])
    assert (tmp_path / "40" / "mixed" / "ours.db").exists()
    assert "memory-scan:" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "append", "--write", "page.md"], "the page shows all rows"),
        (["--make"], "what is made is kept in --folder"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(arguments)
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_page_is_written_anew_from_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report.write(Path("docs/benchmarks/results.json"), Report([run("first", result("append"))]))
    main(["--page"])
    assert "```sh\nfirst\n```" in Path("docs/benchmarks.md").read_text(encoding="utf-8")
    assert Path("docs/benchmarks/cost-per-event.svg").exists()
