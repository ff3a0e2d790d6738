"""The flow of deals over HTTP: the answers of the command line, and problems for bad parameters."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.wire.flows import (
    CohortTable,
    Flow,
    OutcomesOverTime,
    TimeInStage,
)
from api.wire.stuck import StuckDeals
from tests.api.cli.conftest import run_command
from tests.api.serving import serving

DAY = "as_of=2026-06-30"


@pytest.fixture(scope="module")
def client(small_store: str) -> Iterator[TestClient]:
    with serving(small_store) as client:
        yield client


@pytest.mark.parametrize(
    ("url", "options", "shape"),
    [
        ("/v1/flow?", [], Flow),
        ("/v1/flow?region=EMEA&", ["--where", "region=EMEA"], Flow),
        ("/v1/flow/cohorts?period=quarter&", ["--cohorts", "quarter"], CohortTable),
        ("/v1/flow/survival?", ["--survival"], TimeInStage),
        ("/v1/flow/survival?group_by=owner&", ["--survival", "--by", "owner"], TimeInStage),
        ("/v1/flow/outcomes?group_by=month&", ["--outcomes", "--by", "month"], OutcomesOverTime),
        ("/v1/flow/stuck?", ["--stuck"], StuckDeals),
    ],
)
def test_routes_answer_as_the_command_does(
    client: TestClient, small_store: str, url: str, options: list[str], shape: Any
) -> None:
    known = "2026-12-31"
    response = client.get(f"{url}{DAY}&known_at={known}")
    assert response.status_code == 200, response.text
    assert "Dealstate-Position" in response.headers
    moment = ("--as-of", "2026-06-30", "--known-at", known)
    told = run_command("--db", small_store, "flow", *options, *moment, "--format", "json")
    assert msgspec.json.decode(response.content, type=shape) == told.read(shape)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/v1/flow/survival?group_by=colour", "no dimension 'colour'"),
        ("/v1/flow/outcomes?group_by=", "no dimension ''"),
        ("/v1/flow/cohorts?period=week", "period"),
        ("/v1/flow/stuck?limit=0", "limit"),
        ("/v1/flow/stuck?cursor=x", "not a cursor"),
        ("/v1/flow/stuck?cursor=WyJlbnRlcmVkX2F0IixmYWxzZSxudWxsLCJkIl0", "not a cursor"),
        ("/v1/flow?colour=red", "colour"),
    ],
)
def test_parameters_that_cannot_be_used_are_told(client: TestClient, url: str, said: str) -> None:
    response = client.get(url)
    assert response.status_code == 422, response.text
    assert response.json()["code"] == "invalid-parameter"
    assert said in response.text
    assert "Value error" not in response.text


def test_a_cursor_may_name_any_deal(client: TestClient) -> None:
    from api.cursors import encode_cursor

    for deal_id in ("d'5", "客户", "a\0b", '"; DROP TABLE periods; --'):
        cursor = encode_cursor("entered_at", False, 0, deal_id)
        response = client.get("/v1/flow/stuck", params={"cursor": cursor})
        assert response.status_code == 200, response.text
