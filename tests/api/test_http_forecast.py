"""Forecast and calibration over HTTP, which answer what the command line does."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.wire.calibrations import Calibration
from api.wire.forecasts import Forecast, ForecastDeals, ForecastHistory
from api.wire.values import Amount
from tests.api.cli.conftest import run_command
from tests.api.serving import problem, read, serving

AT = "as_of=2026-03-12&known_at=2026-03-12"
AT_OPTIONS = ("--as-of", "2026-03-12", "--known-at", "2026-03-12")


@pytest.fixture
def client(small_store: str) -> Iterator[TestClient]:
    with serving(small_store) as client:
        yield client


def test_the_forecast_is_that_of_the_command(client: TestClient, small_store: str) -> None:
    path = f"/v1/forecast?{AT}&against=2026-05-31&against_known_at=2026-06-30&group_by=owner"
    answer = read(client, path, Forecast)
    told = run_command(
        *("--db", small_store, "forecast", *AT_OPTIONS, "--by", "owner"),
        *("--against", "2026-05-31", "--format", "json"),
    ).read(Forecast)
    assert (answer.rows, answer.totals, answer.months) == (told.rows, told.totals, told.months)
    assert answer.against_known_at == "2026-06-30T23:59:59.999999Z"
    assert sum(row.sum.deals for row in answer.rows) == 5
    only = read(client, f"/v1/forecast?{AT}&lead_source=fair&reporting_currency=USD", Forecast)
    assert [row.close for row in only.rows] == ["2026-04"]


def test_pages_of_deals_follow_one_another(client: TestClient) -> None:
    found: list[str | None] = []
    path = f"/v1/forecast/deals?{AT}&limit=2"
    while path:
        found += [one.reference for one in read(client, path, ForecastDeals).deals]
        link = re.fullmatch(r'<(.*)>; rel="next"', client.get(path).headers.get("link", ""))
        path = link[1] if link else ""
    assert found == ["P-1", "R-1", "E-1", "M-1", "S-1"]
    some = read(client, f"/v1/forecast/deals?{AT}&close=undated&owner=ghost", ForecastDeals)
    assert [one.reference for one in some.deals] == ["E-1"]
    told = read(client, f"/v1/forecast/deals?{AT}&reporting_currency=EUR", ForecastDeals)
    assert told.reporting_currency == "EUR"
    assert told.currencies_without_rate == ["JPY", "USD"]
    assert {one.reference: one.reported_amount for one in told.deals if one.reported_amount} == {
        "M-1": Amount("4500.00", "EUR")
    }


def test_the_history_of_a_month(client: TestClient) -> None:
    answer = read(client, "/v1/forecast/history?month=2026-03&every=month", ForecastHistory)
    assert [one.amount.amount for one in answer.result] == ["5000.00"]
    assert answer.over
    weeks = read(client, "/v1/forecast/history?month=2026-03", ForecastHistory)
    assert len({one.at for one in weeks.standings}) > len({one.at for one in answer.standings})


def test_calibration_is_that_of_the_command(client: TestClient, small_store: str) -> None:
    path = "/v1/calibration?as_of=2026-06-30&lead=30,7&group_by=stage&as_occurred=true"
    answer = read(client, path, Calibration)
    told = run_command(
        *("--db", small_store, "calibration", "--as-of", "2026-06-30", "--lead", "30,7"),
        *("--by", "stage", "--as-occurred", "--format", "json"),
    ).read(Calibration)
    assert (answer.decided, answer.leads) == (told.decided, told.leads)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/forecast?group_by=colour", "group_by"),
        ("/v1/forecast?against=2020-01-01", "against"),
        ("/v1/forecast?against_known_at=2020-01-01", "against_known_at"),
        ("/v1/forecast?against=soon", "against"),
        ("/v1/forecast?reporting_currency=XYZ", "reporting_currency"),
        ("/v1/forecast/deals?close=2026-3", "close"),
        ("/v1/forecast/deals?reporting_currency=XYZ", "reporting_currency"),
        ("/v1/forecast/history?month=overdue", "month"),
        ("/v1/forecast/history?month=9999-12", "month"),
        ("/v1/calibration?lead=x", "lead"),
        ("/v1/calibration?lead=7,0", "lead"),
        ("/v1/calibration?group_by=colour", "group_by"),
    ],
)
def test_what_cannot_be_asked_is_a_problem_of_its_parameter(
    client: TestClient, path: str, parameter: str
) -> None:
    assert problem(client, path, 422).detail.startswith(f"{parameter}:")


@pytest.mark.parametrize("cursor", ["x", "WyJkZWFscyIsbnVsbCwiZCJd", "WyJmb3JlY2FzdCIsMSwiZCJd"])
def test_a_cursor_of_another_list_is_refused(client: TestClient, cursor: str) -> None:
    found = problem(client, f"/v1/forecast/deals?cursor={cursor}", 422)
    assert "is not a cursor" in found.detail
