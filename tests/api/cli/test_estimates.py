"""`dealstate estimates`: how good the estimates were, or that nothing can be said."""

import csv
import io
import sys
from pathlib import Path

import pytest

from api.queries.estimates import ask_estimates
from api.wire.estimates import EstimateQuality
from api.workspace import Workspace
from projections.cohort.cache import Cache
from store.errors import StoreUnavailable
from store.location import Location
from tests.api.cli.conftest import Run, run_command


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store of simulated deals, too few of them decided for a model."""
    url = f"sqlite:///{tmp_path_factory.mktemp('portfolio')}/deals.db"
    done = run_command(
        "--db", url, "simulate", "--deals", "70", "--seed", "11", "--until", "2026-06-30"
    )
    assert done.exit_code == 0, done.stderr
    return url


def test_a_small_store_says_that_nothing_can_be_said(run: Run) -> None:
    lines = run("estimates").lines
    assert lines[0].startswith("Nothing can be said: no deal was judged")
    assert lines[1].startswith("2 deals are decided")


def test_undated_imports_are_a_caveat(run: Run) -> None:
    answer = run("estimates", "--format", "json").read(EstimateQuality)
    assert len(answer.caveats) == 1
    assert "do not say when they were known" in answer.caveats[0]
    assert "may be too early" in run("estimates", "--as-occurred").stderr


def test_csv_has_a_row_for_each_score(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("estimates", "--format", "csv").stdout)))
    assert rows == []


def asked(url: str, least: int) -> EstimateQuality:
    with Workspace.open(Location.parse(url)) as store:
        return ask_estimates(store, lambda *_: None, least=least)


def test_models_are_judged_and_kept_beside_the_store(portfolio: str) -> None:
    answer = asked(portfolio, 15)
    assert answer.scores[0].group == "all"
    assert answer.scores[0].points == sum(b.points for b in answer.reliability) > 20
    assert {one.group for one in answer.scores} == {"all", "point", "boundary"}
    assert all((one.cohort_size or 15) >= 15 for one in answer.scores)
    folder = Path(portfolio.removeprefix("sqlite:///")).parent
    assert "deals.cohort.db" in {one.name for one in folder.iterdir()}
    again = asked(portfolio, 15)
    assert (again.scores, again.differences) == (answer.scores, answer.differences)


def test_without_the_library_it_says_what_to_install(
    portfolio: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    monkeypatch.setattr(ask_estimates, "__kwdefaults__", {"as_occurred": False, "least": 14})
    done = run_command("--db", portfolio, "estimates")
    assert done.exit_code == 1
    assert "scikit-learn" in done.stderr
    assert "dealstate[analysis]" in done.stderr


def test_models_that_cannot_be_kept_are_told_and_the_answer_stands(
    portfolio: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailable("the models cannot be kept in there", "Check the disk.")

    monkeypatch.setattr(Cache, "write", full)
    assert asked(portfolio, 16).scores
    assert "the models cannot be kept in there. Check the disk." in caplog.text


def test_an_analyst_may_ask_and_a_seller_may_not(own_store: str) -> None:
    for user, role, code in (("u-mei", "analyst", 0), ("u-anna", "seller", 1)):
        granted = run_command("--db", own_store, "users", "grant", user, role)
        assert granted.exit_code == 0, granted.stderr
        assert run_command("--db", own_store, "estimates", "--as", user).exit_code == code
