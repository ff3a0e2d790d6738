"""Texts that no database or file takes: told as problems, on both databases."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from store.location import Location
from store.log import DealLog
from tests.api.serving import serving

STRANGE = ["\0", "a\0b", "\ud800", "a\u202eb", "", " ", "x" * 10_000, "../..", "%00", "\n"]


@pytest.fixture
def client(new_location: Callable[[], Location]) -> Iterator[TestClient]:
    location = new_location()
    DealLog.create(location).close()
    with serving(str(location)) as client:
        yield client


def _bodies(text: str) -> Iterator[tuple[str, Any]]:
    yield "organisation/register-user", {"user": text, "name": text}
    yield "organisation/register-unit", {"unit": "west", "name": text, "parent": text}
    yield "organisation/grant-membership", {"user": text, "role": "seller", "unit": text}
    yield "organisation/issue-api-key", {"user": text, "name": text}
    yield "organisation/revoke-api-key", {"user": "local", "key": text}
    yield "rates/publish-rates", {"base": text, "day": "2026-01-02", "rates": []}
    yield "targets/set-target", {"first": "2026-01-01", "last": "2026-01-02", "owner": text}
    yield "processes", {"toml": text}
    yield "erasures", {"persons": [text], "reason": text}
    yield "erasures/survey", {"persons": [text, f"{text}/{text}"]}
    yield "erasures/lookup", {"name": text}
    yield "reassignments", {"from_owner": text, "to_owner": text}
    yield "reassignments", {"from_owner": text, "to_owner": "ben", "deals": [text]}
    yield "reassignments", {"from_owner": "anna", "to_owner": "ben", "where": {"region": text}}


def _texts(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    for text in STRANGE:
        for path, body in _bodies(text):
            for more in ({}, {"dry_run": True}) if path == "reassignments" else ({},):
                # Half a character of two can be sent as an escape alone.
                content = json.dumps(body | more)
                answer = client.post(f"/v1/{path}", content=content, headers=headers)
                assert answer.status_code in {200, 400, 409, 422}, (path, text, answer.text)


def _addresses(client: TestClient) -> None:
    for path in ("users/{}", "units/{}", "keys?user={}", "users?cursor={}"):
        for text in ("%00", "a%00b", "%ED%A0%80", "%FF", "x" * 3_000, "%2e%2e"):
            answer = client.get(f"/v1/{path.format(text)}")
            assert answer.status_code in {200, 400, 404, 422}, (path, text, answer.text)


def _tables(client: TestClient) -> None:
    rows = ("2026-01-02,EUR,U\0D,1", "2026-Q1,a\0,,,1,EUR", "\xff,\xfe,,,", '"', ",,,,,")
    heads = {
        "rates/import": "date,base,currency,rate",
        "targets/import": "period,owner,territory,unit,amount,currency",
    }
    for path, head in heads.items():
        for row in rows:
            table = f"{head}\n{row}\n".encode("latin-1")
            answer = client.post(f"/v1/{path}", content=table, headers={"Content-Type": "text/csv"})
            assert answer.status_code in {200, 422}, (path, row, answer.text)


def test_strange_texts_are_told_as_problems(client: TestClient) -> None:
    """In one test, since a store for each text would take a minute."""
    client.post("/v1/organisation/register-user", json={"user": "ben", "name": "Ben"})
    _texts(client)
    _addresses(client)
    _tables(client)
