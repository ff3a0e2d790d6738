"""Exchange rates and targets over HTTP: the answers of the command line, and what is refused."""

from collections.abc import Iterator

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.wire.problems import Problem
from api.wire.rates import RateList
from api.wire.targets import TargetList
from tests.api.cli.conftest import run_command
from tests.api.serving import serving


@pytest.fixture
def filled(own_store: str) -> str:
    """A store with two days of rates and a target."""
    for args in (
        ["rates", "set", "EUR", "USD", "1.08", "--day", "2026-05-29"],
        ["rates", "set", "EUR", "USD", "1.09", "--day", "2026-05-30"],
        ["rates", "set", "USD", "CNY", "7.1", "--day", "2026-05-30"],
        ["targets", "set", "2026-Q1", "100", "--currency", "EUR", "--owner", "u-anna"],
        ["targets", "set", "2026", "400", "--currency", "EUR"],
    ):
        assert run_command("--db", own_store, *args).exit_code == 0
    return own_store


@pytest.fixture
def client(filled: str) -> Iterator[TestClient]:
    with serving(filled) as client:
        yield client


@pytest.mark.parametrize(
    ("url", "args"),
    [
        ("/v1/rates", ["rates", "list"]),
        (
            "/v1/rates?since=2026-01-01&base=EUR",
            ["rates", "list", "--since", "2026-01-01", "--base", "EUR"],
        ),
        ("/v1/rates?currency=CNY", ["rates", "list", "--currency", "CNY"]),
        ("/v1/rates?known_at=2026-06-01", ["rates", "list", "--known-at", "2026-06-01"]),
        ("/v1/targets", ["targets", "list"]),
        ("/v1/targets?known_at=2026-06-01", ["targets", "list", "--known-at", "2026-06-01"]),
    ],
)
def test_http_answers_as_the_command_line_does(
    client: TestClient, filled: str, url: str, args: list[str]
) -> None:
    printed = run_command("--db", filled, *args, "-f", "json").stdout
    assert client.get(url).json() == msgspec.json.decode(printed)


def test_rates_and_targets(client: TestClient) -> None:
    rates = msgspec.json.decode(client.get("/v1/rates").content, type=RateList).rates
    assert [(one.base, one.currency, one.rate) for one in rates] == [
        ("EUR", "USD", "1.09"),
        ("USD", "CNY", "7.1"),
    ]
    of_period = client.get("/v1/targets", params={"period": "2026-Q1"}).content
    (target,) = msgspec.json.decode(of_period, type=TargetList).targets
    assert (target.period, target.owner and target.owner.name) == ("2026-Q1", "Anna Lee")
    assert client.get("/v1/targets?period=2026-Q2").json() == {"targets": []}


@pytest.mark.parametrize(
    ("url", "parameter"),
    [
        ("/v1/rates?base=euro", "base"),
        ("/v1/rates?currency=x", "currency"),
        ("/v1/rates?since=x", "since"),
        ("/v1/rates?since=0", "since"),
        ("/v1/rates?since=2026-01-01T00:00:00", "since"),
        ("/v1/rates?since=2026-02-30", "since"),
        ("/v1/rates?known_at=x", "known_at"),
        ("/v1/rates?until=2026-01-01", "until"),
        ("/v1/rates?limit=0", "limit"),
        ("/v1/rates?limit=10001", "limit"),
        ("/v1/rates?since=2026-01-01&since=2026-02-01", "since"),
        ("/v1/targets?period=soon", "period"),
        ("/v1/targets?known_at=x", "known_at"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(client: TestClient, url: str, parameter: str) -> None:
    response = client.get(url)
    assert response.status_code == 422
    problem = msgspec.json.decode(response.content, type=Problem)
    assert problem.code == "invalid-parameter"
    assert parameter in (problem.detail or "")


@pytest.mark.parametrize("query", ["since=2026-01-01", "since=2026-01-01&base=EUR", ""])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_rates_come_in_pages(client: TestClient, query: str, limit: int) -> None:
    whole = client.get(f"/v1/rates?{query}").json()
    assert (whole["cursor"], len(whole["rates"])) == (None, 3 if query == "since=2026-01-01" else 2)
    found: list[dict[str, str]] = []
    link = f"/v1/rates?{query}&limit={limit}"
    while link:
        response = client.get(link)
        page = response.json()
        assert 0 < len(page["rates"]) <= limit
        found += page["rates"]
        assert len(found) <= len(whole["rates"])
        link = response.links["next"]["url"] if "next" in response.links else ""
        assert bool(link) == (page["cursor"] is not None)
    assert found == whole["rates"]


def test_what_is_published_meanwhile_comes_neither_twice_nor_instead(
    client: TestClient, filled: str
) -> None:
    first = client.get("/v1/rates?limit=1").json()
    for args in (["EUR", "CHF", "0.9"], ["EUR", "USD", "1.1"], ["USD", "JPY", "160"]):
        run_command("--db", filled, "rates", "set", *args)
    second = client.get(f"/v1/rates?cursor={first['cursor']}").json()
    assert [one["currency"] for one in first["rates"] + second["rates"]] == ["USD", "CNY", "JPY"]


def test_a_cursor_is_of_its_own_list(client: TestClient) -> None:
    newest = client.get("/v1/rates?limit=1").json()["cursor"]
    since = client.get("/v1/rates?since=2026-01-01&limit=1").json()["cursor"]
    for query in (f"since=2026-01-01&cursor={newest}", f"cursor={since}"):
        response = client.get(f"/v1/rates?{query}")
        assert (response.status_code, "keep `since`" in response.text) == (422, True)
