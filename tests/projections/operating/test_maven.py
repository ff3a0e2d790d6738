"""Figures of real deals, against the same reckoned with polars from the file they came from."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from api.queries.figures import FigureQuery, ask_figures, periods_of
from api.queries.instants import Instants
from api.wire.figures import GroupFigures
from api.wire.values import User
from api.workspace import Workspace
from projections.calendar import Grain
from store.location import Location
from tests.api.cli.conftest import run_command
from tests.api.serving import HOLDER
from tests.shared_data import shared


@pytest.fixture(scope="module")
def folder() -> Path:
    return shared("maven_crm")


@pytest.fixture(scope="module")
def store(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    url = f"sqlite:///{tmp_path_factory.mktemp('maven') / 'maven.db'}"
    args = ("import", str(folder), "--from", "csv", "--map", "maven-crm")
    assert run_command("--db", url, *args).exit_code == 0
    with Workspace.open(Location.parse(url)) as store:
        yield store


@pytest.fixture(scope="module")
def rows(folder: Path) -> pl.DataFrame:
    """The decided deals of the file, with the quarter and the days of each."""
    read = pl.read_csv(folder / "sales_pipeline.csv", try_parse_dates=True)
    decided = read.filter(pl.col("deal_stage").is_in(["Won", "Lost"]))
    close = pl.col("close_date")
    return decided.with_columns(
        # The export spells one product in two ways; the map knows.
        product=pl.col("product").replace("GTXPro", "GTX Pro"),
        quarter=pl.format("{}-Q{}", close.dt.year(), close.dt.quarter()),
        days=(close - pl.col("engage_date")).dt.total_days(),
        won=(pl.col("deal_stage") == "Won"),
    )


Told = dict[tuple[str, str], tuple[int, int, int, Decimal, int]]
"""By quarter and group: won, decided, deals with an amount, what they come to, days of all won."""


def reckoned(rows: pl.DataFrame, column: str) -> Told:
    won = pl.col("won")
    grouped = rows.group_by("quarter", column).agg(
        won=won.sum(),
        decided=pl.len(),
        priced=(won & pl.col("close_value").is_not_null()).sum(),
        amount=pl.col("close_value").filter(won).sum(),
        days=pl.col("days").filter(won).sum(),
    )
    return {
        (quarter, group): (won, decided, priced, Decimal(amount), days)
        for quarter, group, won, decided, priced, amount, days in grouped.iter_rows()
    }


def told(rows: list[GroupFigures]) -> Told:
    found = {}
    for row in rows:
        [group] = row.group.values()
        name = group.name if isinstance(group, User) else group
        if row.win_rate.of:
            money = [(one.won, Decimal(one.won_amount.amount)) for one in row.money if one.won]
            priced, amount = money[0] if money else (0, Decimal(0))
            rate, days = row.win_rate, row.cycle_days_won.total
            found[row.period.label, str(name)] = (rate.part, rate.of, priced, amount, days)
    return found


@pytest.mark.parametrize(
    ("dimension", "column"), [("owner", "sales_agent"), ("product", "product")]
)
def test_won_lost_values_and_days_are_those_of_the_file(
    store: Workspace, rows: pl.DataFrame, dimension: str, column: str
) -> None:
    periods = periods_of(store.calendar, store.now(), "2016-10-01..2017-12-31", Grain.QUARTER)
    answer = ask_figures(store, HOLDER, Instants(), FigureQuery(periods, [dimension]))
    assert told(answer.rows) == reckoned(rows, column)
    assert sum(row.won for row in answer.totals) == rows["won"].sum() == 4238


def test_averages_are_those_of_the_file(store: Workspace, rows: pl.DataFrame) -> None:
    [period] = periods_of(store.calendar, store.now(), "2017-Q2", None)
    answer = ask_figures(store, HOLDER, Instants(), FigureQuery([period], ["product"]))
    inside = rows.filter(pl.col("quarter") == "2017-Q2")
    for row in answer.rows:
        mine = inside.filter(pl.col("product") == row.group["product"])
        won = mine.filter(pl.col("won"))
        assert float(row.win_rate.ratio or "nan") == pytest.approx(
            won.height / mine.height, abs=1e-4
        )
        [money] = row.money
        assert money.average_won is not None
        value = won["close_value"].mean()
        assert float(money.average_won.amount) == pytest.approx(value, abs=0.005)
        assert float(row.cycle_days_won.mean or "nan") == pytest.approx(
            won["days"].mean(), abs=1e-4
        )


def test_before_the_first_outcome_nothing_is_decided(store: Workspace) -> None:
    [period] = periods_of(store.calendar, store.now(), "2017-Q1", None)
    before = Instants(as_of=period.start + timedelta(days=1))
    [total] = ask_figures(store, HOLDER, before, FigureQuery([period])).totals
    assert (total.won, total.lost, total.win_rate.ratio, total.cycle_days_won.mean) == (
        0,
        0,
        None,
        None,
    )
    assert total.open > 0
