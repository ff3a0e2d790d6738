"""Users, units, keys and limits over HTTP, page by page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from store.location import Location
from store.log import DealLog
from tests.api.serving import problem, serving


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    location = Location.beside(Path(tmp_path_factory.mktemp("reading"), "deals.db"))
    DealLog.create(location).close()
    with serving(str(location)) as client:
        for number in range(5):
            body = {"user": f"u-{number}", "name": f"User {number}"}
            client.post("/v1/organisation/register-user", json=body)
            client.post("/v1/organisation/register-unit", json={"unit": f"t-{number}", "name": "T"})
        for user in ("u-3", "u-1", "u-3"):
            body = {"user": user, "name": "export"}
            client.post("/v1/organisation/issue-api-key", json=body)
        body = {"user": "u-1", "role": "manager", "unit": "t-2"}
        client.post("/v1/organisation/grant-membership", json=body)
        yield client


def _walk(client: TestClient, url: str, name: str) -> list[Any]:
    """All of a listing, two at a time, by the links."""
    found: list[Any] = []
    while True:
        response = client.get(url)
        assert response.status_code == 200, response.text
        page = response.json()[name]
        assert 0 < len(page) <= 2
        found += page
        link = response.links.get("next")
        assert (link is None) == (response.json()["cursor"] is None)
        if link is None:
            return found
        url = link["url"]


@pytest.mark.parametrize(("what", "first"), [("users", "u-"), ("units", "t-")])
def test_a_listing_is_walked_through(client: TestClient, what: str, first: str) -> None:
    found = _walk(client, f"/v1/{what}?limit=2", what)
    assert [one["id"] for one in found] == [f"{first}{number}" for number in range(5)]


def test_keys_are_listed_by_user_and_tell_no_secret(client: TestClient) -> None:
    found = _walk(client, "/v1/keys?limit=2", "keys")
    assert [one["user"] for one in found] == ["u-1", "u-3", "u-3"]
    assert {tuple(one) for one in found} == {("id", "user", "name", "actions", "last_day", "good")}
    assert len(_walk(client, "/v1/keys?limit=2&user=u-3", "keys")) == 2


def test_one_user_and_one_unit(client: TestClient) -> None:
    user = client.get("/v1/users/u-1")
    assert user.json()["roles"] == [{"role": "manager", "unit": "t-2"}]
    assert user.headers["ETag"].startswith('"3.')
    assert client.get("/v1/units/t-2").json()["managers"] == ["u-1"]


@pytest.mark.parametrize("path", ["users/nobody", "units/nowhere"])
def test_what_is_not_there(client: TestClient, path: str) -> None:
    assert problem(client, f"/v1/{path}", 404).code == "not-found"


@pytest.mark.parametrize("path", ["users", "units", "keys"])
def test_a_cursor_that_no_answer_gave(client: TestClient, path: str) -> None:
    assert problem(client, f"/v1/{path}?cursor=x", 422).code == "invalid-parameter"
