"""Operating figures and coverage over HTTP: the answers of the command line, what is refused."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.queries.figures import cursor_behind
from api.wire.coverage import CoverageReport
from api.wire.figures import FigureReport
from api.wire.problems import Problem
from projections.operating.listing import Count
from tests.api.cli.conftest import run_command
from tests.api.serving import serving

AT = ("--as-of", "2026-06-01", "--known-at", "2026-06-01")


@pytest.fixture
def client(own_store: str) -> Iterator[TestClient]:
    target = ("targets", "set", "2026", "20000", "--currency", "EUR")
    assert run_command("--db", own_store, *target).exit_code == 0
    with serving(own_store) as client:
        yield client


def test_figures_are_those_of_the_command_line(client: TestClient, own_store: str) -> None:
    args = ("2026", "--per", "quarter", "--by", "owner,team", "--where", "currency=EUR", *AT)
    printed = run_command("--db", own_store, "figures", "--format", "json", *args)
    parameters = {
        "period": "2026",
        "per": "quarter",
        "group_by": "owner,team",
        "currency": "EUR",
        "as_of": "2026-06-01",
        "known_at": "2026-06-01",
    }
    answer = client.get("/v1/figures", params=parameters)
    assert answer.json() == msgspec.json.decode(printed.stdout)
    assert sum(row.won for row in msgspec.json.decode(answer.content, type=FigureReport).rows) == 1
    assert int(answer.headers["Dealstate-Position"]) > 0


def test_the_deals_behind_a_figure_come_in_pages(client: TestClient, own_store: str) -> None:
    printed = run_command(
        *("--db", own_store, "figures", "2026", "--deals", "new", "--format", "json", *AT)
    )
    deals = msgspec.json.decode(printed.stdout)["deals"]
    at = {"as_of": "2026-06-01", "known_at": "2026-06-01"}
    answer = client.get(
        "/v1/figures/deals", params={"period": "2026", "count": "new", "limit": 2, **at}
    )
    assert answer.json()["deals"] == deals[:2]
    following = client.get(answer.links["next"]["url"])
    assert following.json()["deals"] == deals[2:4]


def test_coverage_is_that_of_the_command_line(client: TestClient, own_store: str) -> None:
    at = ("--as-of", "2026-06-01", "--known-at", "2027-01-01")
    printed = run_command("--db", own_store, "coverage", "2026", "--format", "json", *at)
    parameters = {"period": "2026", "as_of": "2026-06-01", "known_at": "2027-01-01"}
    answer = client.get("/v1/coverage", params=parameters)
    assert answer.json() == msgspec.json.decode(printed.stdout)
    assert len(msgspec.json.decode(answer.content, type=CoverageReport).targets) == 1


@pytest.mark.parametrize(
    ("cursor", "says"),
    [
        ("zzz", "'zzz' is not a cursor"),
        ("\0zz", "is not a cursor"),
        ("", "'' is not a cursor"),
        (cursor_behind("d-mill", Count.LOST), "the cursor is of a list of another count"),
    ],
)
def test_only_a_cursor_of_the_same_count_is_taken(
    client: TestClient, cursor: str, says: str
) -> None:
    parameters = {"period": "2026", "count": "won", "cursor": cursor}
    answer = client.get("/v1/figures/deals", params=parameters)
    assert answer.status_code == 422
    assert says in msgspec.json.decode(answer.content, type=Problem).detail


@pytest.mark.parametrize("deal_id", ["d-mill", "", "\0zz", "' OR 1=1 --"])
def test_a_cursor_may_stand_behind_any_deal(client: TestClient, deal_id: str) -> None:
    cursor = cursor_behind(deal_id, Count.WON)
    parameters = {"period": "2026", "count": "won", "cursor": cursor}
    answer = client.get("/v1/figures/deals", params=parameters)
    assert answer.status_code == 200
    found = [deal["id"] for deal in answer.json()["deals"]]
    assert found == [one for one in ["d-mill"] if one > deal_id]


@pytest.mark.parametrize(
    ("path", "parameters", "says"),
    [
        ("figures", {"period": "2026-Q5"}, "period: '2026-Q5' is no period"),
        ("figures", {"period": "2000..2026", "per": "month"}, "period: "),
        ("figures", {"group_by": "colour"}, "group_by: there is no dimension 'colour'"),
        ("figures", {"team": "nowhere"}, "team: there is no unit 'nowhere'"),
        ("figures", {"reporting_currency": "XXX"}, "reporting_currency: 'XXX'"),
        ("figures", {"as_of": "soon"}, "as_of: 'soon' is not a time"),
        ("figures/deals", {"count": "won", "period": "soon"}, "period: 'soon' is no period"),
        ("coverage", {"period": "2026-13"}, "period: '2026-13' is no period"),
    ],
)
def test_what_cannot_be_asked_is_told(
    client: TestClient, path: str, parameters: dict[str, Any], says: str
) -> None:
    answer = client.get(f"/v1/{path}", params=parameters)
    problem = msgspec.json.decode(answer.content, type=Problem)
    assert (answer.status_code, problem.status) == (422, 422)
    assert says in problem.detail
