"""Progress: quiet for short work, plain lines where there is no terminal."""

import pytest

from api.cli import progress
from api.cli.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the progress reads, to be set by the test."""
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    return now


def test_short_work_says_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("Reading", "events") as shown:
        shown.reached(0, 100)
        clock[0] = 0.9
        shown.reached(100, 100)
    assert capsys.readouterr().err == ""


def test_lines_tell_rate_and_time_left(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress("Reading", "events") as shown:
        for seconds, done in [(0, 1_000), (2, 3_000), (4, 5_000), (8, 9_000)]:
            clock[0] = seconds
            shown.reached(done, 11_000)
    assert capsys.readouterr().err.splitlines() == [
        "Reading: 3,000 of 11,000 events, 1,000/s, 8 s left",
        "Reading: 9,000 of 11,000 events, 1,000/s, 2 s left",
    ]


def test_work_that_stands_still_tells_no_time_left(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress("Reading", "events") as shown:
        shown.reached(5, 10)
        clock[0] = 2
        shown.reached(5, 10)
    assert capsys.readouterr().err == "Reading: 5 of 10 events, 0/s\n"


def test_on_a_terminal_there_is_a_bar(
    clock: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    with Progress("Reading", "events") as shown:
        shown.reached(0, 10_000)
        clock[0] = 2
        shown.reached(5_000, 10_000)
    drawn = capsys.readouterr().err
    assert "Reading" in drawn
    assert "2,500/s" in drawn
