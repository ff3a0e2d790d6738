"""The pipeline over HTTP: in one currency, and the deals behind its figures."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.wire.drilldown import DealsBehind
from api.wire.pipelines import Pipeline, PipelineFigures
from domain.access import Principal, Role
from tests.api.cli.conftest import run_command
from tests.api.serving import problem, read, serving

THEN = "as_of=2026-05-31&known_at=2026-05-31"


@pytest.fixture
def store(own_store: str) -> str:
    """A copy of the small store, with rates into dollars."""
    for rate in (["USD", "1.25"], ["JPY", "160"]):
        args = ["rates", "set", "EUR", *rate, "--day", "2026-01-01"]
        assert run_command("--db", own_store, *args).exit_code == 0
    return own_store


@pytest.fixture
def client(store: str) -> Iterator[TestClient]:
    with serving(store) as client:
        yield client


def test_amounts_in_one_currency(client: TestClient) -> None:
    answer = read(client, "/v1/pipeline?reporting_currency=USD&group_by=currency", Pipeline)
    assert answer.reporting_currency == "USD"
    assert [(one.currency, one.rate) for one in answer.rates] == [
        ("EUR", "1.25"),
        ("JPY", "0.0078125"),
    ]
    assert answer.currencies_without_rate == []
    rows = {row.group["currency"]: row for row in answer.rows}
    assert {row.currency for row in answer.rows} == {"USD"}
    assert rows["JPY"].open_amount.amount == "9375.00"
    assert rows["JPY"].open_weighted_amount.amount == "2343.75"
    (total,) = answer.totals
    assert total.open_amount.amount == "9375.00"


def test_the_filter_by_currency_is_another_parameter(client: TestClient) -> None:
    url = "/v1/pipeline?reporting_currency=USD&currency=JPY&group_by="
    (row,) = read(client, url, Pipeline).rows
    assert (row.currency, row.open, row.open_amount.amount) == ("USD", 1, "9375.00")


@pytest.mark.parametrize("path", ["/v1/pipeline", "/v1/pipeline/deals"])
@pytest.mark.parametrize("code", ["usd", "XXX", "", "EURO"])
def test_what_is_no_currency_is_told(client: TestClient, path: str, code: str) -> None:
    found = problem(client, f"{path}?reporting_currency={code}", 422)
    assert found.code == "invalid-parameter"
    assert [error.parameter for error in found.errors or []] == ["reporting_currency"]


def test_the_deals_behind_a_figure_are_as_on_the_command_line(
    client: TestClient, store: str
) -> None:
    url = f"/v1/pipeline/deals?status=lost&reporting_currency=USD&owner=Ben%20Ito&{THEN}"
    answer = read(client, url, DealsBehind)
    told = run_command(
        *("--db", store, "pipeline", "--deals", "lost", "--currency", "USD"),
        *("--where", "owner=Ben Ito", "--as-of", "2026-05-31", "--known-at", "2026-05-31"),
        *("--format", "json"),
    )
    assert told.read(DealsBehind) == answer
    assert [deal.id for deal in answer.deals] == ["d-press"]


def test_pages_follow_their_links(client: TestClient) -> None:
    whole = read(client, f"/v1/pipeline/deals?reporting_currency=USD&{THEN}", DealsBehind)
    url, found = f"/v1/pipeline/deals?reporting_currency=USD&limit=2&{THEN}", []
    while url:
        response = client.get(url)
        assert int(response.headers["Dealstate-Position"]) > 0
        found += [deal["id"] for deal in response.json()["deals"]]
        url = response.links.get("next", {}).get("url", "")
    assert found == [deal.id for deal in whole.deals]
    assert len(found) == whole.matching


def test_deals_without_an_amount(client: TestClient) -> None:
    answer = read(client, "/v1/pipeline/deals?status=open&unknown_amount=true", DealsBehind)
    assert answer.matching > 0
    assert {deal.amount for deal in answer.deals} == {None}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("status=merged", "status"),
        ("limit=501", "limit"),
        ("group_by=stage", "group_by"),
        ("as_of=soon", "as_of"),
        ("nonsense=1", "nonsense"),
        ("reporting_currency=EUR&reporting_currency=USD", "reporting_currency"),
        ("region=West&region=West", "region"),
    ],
)
def test_what_cannot_be_used_is_told(client: TestClient, query: str, parameter: str) -> None:
    found = problem(client, f"/v1/pipeline/deals?{query}", 422)
    assert found.code == "invalid-parameter"
    assert [error.parameter for error in found.errors or []] == [parameter]


def test_no_route_takes_a_parameter_twice(client: TestClient) -> None:
    """Whichever of them counted, the other would be passed over without a word."""
    described = client.get("/openapi.json").json()["paths"]
    asked = 0
    for path, operations in described.items():
        for one in operations.get("get", {}).get("parameters", []):
            if one["in"] == "query":
                url = f"{re.sub('{.*?}', 'x', path)}?{one['name']}=x&{one['name']}=x"
                found = problem(client, url, 422)
                assert found.detail == f"{one['name']}: it is given more than once"
                asked += 1
    assert asked > 100


def test_what_is_no_cursor_is_told(client: TestClient) -> None:
    for text in ("x", ""):
        found = problem(client, f"/v1/pipeline/deals?cursor={text}", 422)
        assert found.detail.startswith(f"'{text}' is not a cursor")


def test_a_cursor_of_another_currency_is_told_before_an_event_is_waited_for(
    client: TestClient,
) -> None:
    first = read(client, "/v1/pipeline/deals?limit=1", DealsBehind)
    url = f"/v1/pipeline/deals?reporting_currency=USD&cursor={first.cursor}"
    response = client.get(url, headers={"Dealstate-Wait-For": "deal:d-press@999"})
    assert "another currency" in response.json()["detail"]


def counted(row: PipelineFigures) -> int:
    return row.open + row.suspended + row.won + row.lost + row.voided


def test_a_deal_that_one_may_not_read_is_in_no_figure_and_no_list(store: str) -> None:
    url = f"/v1/pipeline/deals?{THEN}"
    with serving(store, Principal("u-anna", frozenset({Role.SELLER}))) as anna:
        answer = read(anna, url, DealsBehind)
        totals = read(anna, f"/v1/pipeline?{THEN}", Pipeline).totals
    theirs = {deal.id for deal in answer.deals}
    assert "d-robot" in theirs
    assert "d-mill" not in theirs
    assert answer.matching == len(theirs) == sum(map(counted, totals))
    # Whoever reads no deal at all is refused.
    with serving(store, Principal("nobody", frozenset())) as nobody:
        assert problem(nobody, url, 403).code == "not-allowed"
