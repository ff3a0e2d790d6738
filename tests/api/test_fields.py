"""`fields`: as much of an answer as is wanted, on every route, and no more than it holds."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.routes.answering import ANSWERS
from api.routes.faults import ParameterFault
from api.routes.selecting import names_of, parse_fields, picked
from api.wire.deals import DealDetail, DealPage
from tests.api.serving import problem, serving
from tests.golden.openapi import document

DOCUMENT = document()
STANDARD = {"/metrics", "/v1/events", "/v1/events/stream"}
"""What has a form that others have set."""


@pytest.fixture(scope="module")
def client(small_store: str) -> Iterator[TestClient]:
    with serving(small_store) as found:
        yield found


def test_every_answer_of_the_wire_can_be_asked_for_in_part() -> None:
    lacking = [
        (method, path)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if "fields" not in {one["name"] for one in operation.get("parameters", [])}
    ]
    told = {path: DOCUMENT["paths"][path]["get"] for method, path in lacking if method == "get"}
    assert {path for path in told if path not in STANDARD} == set()


def test_only_what_is_wanted_comes_in_the_order_of_the_answer(client: TestClient) -> None:
    whole = client.get("/v1/deals/d-press").json()
    found = client.get("/v1/deals/d-press?fields=team,deal.version,deal.name").json()
    assert list(found) == [key for key in whole if key in {"deal", "team"}]
    deal = {key: value for key, value in whole["deal"].items() if key in {"version", "name"}}
    assert list(found["deal"].items()) == list(deal.items())
    assert found["team"] == whole["team"]


def test_a_path_goes_on_in_every_element(client: TestClient) -> None:
    whole = client.get("/v1/deals").json()["deals"]
    found = client.get("/v1/deals?fields=deals.id").json()
    assert found == {"deals": [{"id": one["id"]} for one in whole]}


def test_a_page_that_goes_on_keeps_what_is_wanted(client: TestClient) -> None:
    first = client.get("/v1/deals?limit=1&fields=deals.id")
    assert set(first.json()) == {"deals"}
    link = first.links["next"]["url"]
    following = client.get(link).json()
    assert set(following) == {"deals"}
    assert following != first.json()


def test_an_answer_to_a_question_that_is_posted_can_be_asked_for_in_part(
    client: TestClient,
) -> None:
    answer = client.post("/v1/deals/d-press/whatif?fields=at,caveats", json={"at": 1})
    assert list(answer.json()) == ["at", "caveats"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("nothing", "the answer has no field 'nothing'; it has "),
        ("deal.nothing", "deal has no field 'nothing'; it has "),
        ("deal.name.first", "name has no field 'first'; it has no fields to choose from"),
        ("", "'' is not a name"),
        ("deal,,team", "'' is not a name"),
        ("deal.", "'deal.' is not a name"),
        ("Deal", "'Deal' is not a name"),
        ("deal name", "'deal name' is not a name"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(client: TestClient, fields: str, told: str) -> None:
    found = problem(client, f"/v1/deals/d-press?fields={fields}", 422)
    assert found.code == "invalid-parameter"
    assert [error.parameter for error in found.errors] == ["fields"]
    assert found.errors[0].detail.startswith(told)


def test_it_is_told_before_anything_is_looked_up(client: TestClient) -> None:
    assert problem(client, "/v1/deals/d-none?fields=nothing", 422).code == "invalid-parameter"
    long = ",".join(["deal"] * 500)
    assert problem(client, f"/v1/deals/d-press?fields={long}", 422).code == "invalid-parameter"
    twice = "/v1/deals/d-press?fields=deal&fields=team"
    assert problem(client, twice, 422).errors[0].detail == "it is given more than once"


def test_a_problem_is_told_whole(client: TestClient) -> None:
    found = client.get("/v1/deals/d-none?fields=deal.name").json()
    assert found["code"] == "deal-not-found"


def test_whoever_wants_a_field_whole_and_a_part_of_it_gets_it_whole() -> None:
    whole: dict[str, Any] = {"deal": {}}
    assert parse_fields("deal,deal.name", DealDetail) == whole
    assert parse_fields("deal.name,deal", DealDetail) == whole
    assert parse_fields("deal.name,deal.id", DealDetail) == {"deal": {"name": {}, "id": {}}}


@pytest.mark.parametrize("shape", sorted(ANSWERS))
def test_every_field_of_every_answer_can_be_named(shape: str) -> None:
    kind = ANSWERS[shape]
    schema = DOCUMENT["components"]["schemas"][shape]
    assert set(names_of(kind)) == set(schema.get("properties", {}))
    for name in names_of(kind):
        assert parse_fields(name, kind) == {name: {}}


def test_what_is_picked_is_as_it_was_encoded() -> None:
    body = msgspec.json.encode({"a": 0.1, "b": [{"c": 1, "d": None}, None], "e": "ü"})
    assert picked(body, {"b": {"d": {}}, "a": {}}) == b'{"a":0.1,"b":[{"d":null},null]}'
    assert json.loads(picked(body, {"e": {}})) == {"e": "ü"}


def test_names_of_attributes_are_no_fields() -> None:
    with pytest.raises(ParameterFault):
        parse_fields("__class__", DealPage)
