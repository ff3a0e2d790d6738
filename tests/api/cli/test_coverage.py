"""`dealstate coverage`: what is won of targets, and whether the pipeline covers the rest."""

from pathlib import Path

import pytest

from api.wire.coverage import CoverageReport
from api.wire.figures import Share
from api.wire.values import Amount
from tests.api.cli.conftest import Run


def set_target(write: Run, period: str, amount: str, currency: str, *whose: str) -> None:
    result = write("targets", "set", period, amount, "--currency", currency, *whose)
    assert result.exit_code == 0, result.stderr


def asked(run: Run, *args: str) -> CoverageReport:
    return run("coverage", "--format", "json", *args).read(CoverageReport)


def test_a_target_for_all(write: Run) -> None:
    set_target(write, "2026", "20000", "EUR")
    answer = asked(write, "2026")
    [target] = answer.targets
    assert (target.owner, target.territory, target.unit) == (None, None, None)
    assert target.won == Amount("5000.00", "EUR")
    assert target.remaining == Amount("15000.00", "EUR")
    # The only deal that is expected to close is in yen, without a rate.
    assert target.pipeline == Amount("0.00", "EUR")
    assert target.pipeline_deals.amounts == [Amount("1200000", "JPY")]
    assert target.coverage == "0.0000"
    assert target.win_rate == Share(1, 2, None)
    assert target.needed_pipeline is None
    assert answer.untargeted.won.deals == answer.untargeted.pipeline.deals == 0


def test_deals_without_a_target_are_summed_apart(write: Run) -> None:
    set_target(write, "2026", "1000000", "JPY", "--territory", "Nowhere")
    answer = asked(write, "2026")
    [target] = answer.targets
    assert target.won == Amount("0", "JPY")
    assert answer.untargeted.won.amounts == [Amount("5000.00", "EUR")]
    assert answer.untargeted.pipeline.amounts == [Amount("1200000", "JPY")]


def test_what_is_won_beyond_the_target_leaves_nothing(write: Run) -> None:
    set_target(write, "2026", "4000", "EUR")
    [target] = asked(write, "2026").targets
    assert target.remaining == Amount("-1000.00", "EUR")
    assert target.coverage is None
    assert target.needed_pipeline == Amount("0.00", "EUR")


def test_only_targets_of_the_kind_and_the_period(write: Run) -> None:
    set_target(write, "2026", "4000", "EUR")
    set_target(write, "2026", "400", "EUR", "--territory", "North")
    set_target(write, "2026-Q1", "300", "EUR", "--territory", "North")
    assert [one.territory for one in asked(write, "2026", "--by", "territory").targets] == ["North"]
    assert len(asked(write, "2026").targets) == 2
    assert asked(write, "2025").targets == []


def test_before_it_was_known_there_was_no_target(write: Run) -> None:
    set_target(write, "2026", "4000", "EUR")
    assert asked(write, "2026", "--known-at", "2026-01-01").targets == []


def test_the_table(write: Run, tmp_path: Path) -> None:
    set_target(write, "2026", "20000", "EUR")
    picture = tmp_path / "targets.svg"
    result = write("coverage", "2026", "--plot", str(picture))
    assert result.lines[0] == "Coverage of the targets of 2026 now"
    heads, _, row = result.lines[2:5]
    assert heads.split()[:3] == ["target", "for", "target"]
    assert row.split()[:4] == ["all", "20,000", "5,000", "15,000"]
    assert "too few (2)" in row
    assert "1,200,000 JPY in the pipeline without a rate" in result.stderr
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_targets_of_two_that_are_called_alike_show_their_ids(write: Run) -> None:
    for user in ("u-sam-1", "u-sam-2", "u-anna"):
        set_target(write, "2026", "4000", "EUR", "--owner", user)
    lines = write("coverage", "2026").lines
    for name in ("Anna Lee  ", "Sam Roe (u-sam-1)  ", "Sam Roe (u-sam-2)  "):
        assert sum(line.startswith(name) for line in lines) == 1


def test_without_targets_it_says_so(run: Run) -> None:
    result = run("coverage", "2026")
    assert "No targets are on record for exactly this period" in result.stderr
    assert any(
        line.startswith("Without a target: won 5,000 EUR of 1 deal") for line in result.lines
    )


@pytest.mark.parametrize("period", ["2026-Q5", "soon"])
def test_a_period_that_is_none_is_told(run: Run, period: str) -> None:
    result = run("coverage", period)
    assert result.exit_code == 2
    assert "is no period" in result.stderr
