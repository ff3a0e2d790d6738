"""The waterfall over HTTP: the same answers as on the command line, in pages, and its problems."""

import re
from collections.abc import Iterator

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.wire.problems import Problem
from api.wire.waterfalls import Waterfall, WaterfallDeals
from tests.api.cli.conftest import run_command
from tests.api.serving import serving

SPAN = "since=2025-12-31&until=2026-05-31&known_at=2026-06-02"


@pytest.fixture(scope="module")
def client(small_store: str) -> Iterator[TestClient]:
    with serving(small_store) as client:
        yield client


def test_the_answer_is_that_of_the_command_line(client: TestClient, small_store: str) -> None:
    response = client.get(f"/v1/waterfall?{SPAN}&group_by=owner&currency=USD&closing=2026-Q2")
    assert response.status_code == 200, response.text
    answer = msgspec.json.decode(response.content, type=Waterfall)
    assert msgspec.json.encode(answer) == response.content
    assert len(answer.rows) == 2
    args = ("waterfall", "2025-12-31", "2026-05-31", "--known-at", "2026-06-02", "--by", "owner")
    options = ("--where", "currency=USD", "--closing", "2026-Q2", "--format", "json")
    assert run_command("--db", small_store, *args, *options).read(Waterfall) == answer
    period = client.get("/v1/waterfall?period=2026-01&group_by=stage&as_believed=true").json()
    assert (period["since"][:10], period["until"][:10]) == ("2025-12-31", "2026-01-31")
    assert {one["line"] for one in period["rows"][0]["lines"]} >= {"corrected", "created"}


def test_deals_come_in_pages_that_lead_to_one_another(client: TestClient) -> None:
    url = f"/v1/waterfall/deals?{SPAN}&line=increased"
    whole = msgspec.json.decode(client.get(url).content, type=WaterfallDeals)
    assert len(whole.entries) == 6
    found, next_url = [], f"{url}&limit=2"
    while next_url:
        response = client.get(next_url)
        assert response.status_code == 200, response.text
        found += msgspec.json.decode(response.content, type=WaterfallDeals).entries
        link = re.match(r'<(.+)>; rel="next"', response.headers.get("Link", ""))
        next_url = link[1] if link else ""
    assert found == whole.entries
    assert [one.events for one in found[:2]] == [["deal:d-mill@2"], ["deal:d-robot@2"]]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "since"),
        ("since=2026-01-01", "until"),
        ("since=2026-01-01&until=2025-01-01", "until"),
        ("since=soon&until=now", "since"),
        ("period=2026&since=2026-01-01", "period"),
        ("period=2026-Q9", "period"),
        (f"{SPAN}&closing=soon", "closing"),
        (f"{SPAN}&group_by=colour", "group_by"),
        (f"{SPAN}&as_believed=true", "as_believed"),
        (f"{SPAN}&reporting_currency=ZZZ", "reporting_currency"),
        (f"{SPAN}&as_of=now", "as_of"),
        (f"{SPAN}&line=gone", "line"),
        (f"{SPAN}&line=corrected", "line"),
        (f"{SPAN}&line=revalued", "line"),
        (f"{SPAN}&line=won&limit=0", "limit"),
    ],
)
def test_what_cannot_be_asked_is_a_problem_with_its_parameter(
    client: TestClient, query: str, parameter: str
) -> None:
    path = "/v1/waterfall/deals" if "line=" in query else "/v1/waterfall"
    response = client.get(f"{path}?{query}")
    assert response.status_code == 422, response.text
    problem = msgspec.json.decode(response.content, type=Problem)
    assert problem.errors is not None
    assert [one.parameter for one in problem.errors] == [parameter]


def test_a_cursor_of_another_line_is_refused(client: TestClient) -> None:
    page = client.get(f"/v1/waterfall/deals?{SPAN}&line=increased&limit=1").json()
    for cursor in (page["cursor"], "x"):
        response = client.get(f"/v1/waterfall/deals?{SPAN}&line=created&cursor={cursor}")
        assert response.status_code == 422
        assert "cursor" in response.json()["detail"]
