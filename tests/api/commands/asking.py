"""Commands as programs give them: over HTTP, each with what it takes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from fastapi.testclient import TestClient
from httpx2 import Response

from api.commands import BY_NAME
from api.wire.recorded import DealRecording
from domain.access import Principal, Role
from domain.history import Draft, Fact
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.serving import serving
from tests.contract.asking import OPEN, draft, intent

OPENING = {"name": "Press line", "owner": "anna", "currency": "USD"}

ANNA = Principal("anna", frozenset({Role.SELLER}))
BO = Principal("bo", frozenset({Role.SELLER}))
HOLDER = Principal("op", frozenset({Role.OPERATOR}))


@contextmanager
def as_(principal: Principal, location: Location) -> Iterator[TestClient]:
    with serving(str(location), principal) as client:
        yield client


def new_store(location: Location) -> Location:
    """A store without a deal."""
    DealLog.create(location).close()
    return location


def put(location: Location, stream: str, *facts: Fact) -> None:
    """Facts of a new stream."""
    drafts: list[Draft[Fact]] = [draft(fact) for fact in facts]
    with DealLog.open(location) as log:
        log.append([Batch(stream, 0, drafts)])


def opened(location: Location, *deal_ids: str) -> None:
    """New deals, opened without the service."""
    with DealLog.open(location) as log:
        for deal_id in deal_ids:
            log.handle(deal_id, OPEN, intent(f"open-{deal_id}"))


def give(
    client: TestClient,
    deal_id: str,
    command: str,
    body: Mapping[str, Any],
    key: str | None = None,
    *,
    version: int | None = None,
    **parameters: str,
) -> Response:
    """Give a command; what replaces, for the version that the deal is at unless one is given."""
    headers = {} if key is None else {"Idempotency-Key": key}
    if version is None and BY_NAME[command].replaces:
        version = version_now(client, deal_id)
    if version is not None:
        headers["If-Match"] = f'"{version}"'
    url = f"/v1/deals/{deal_id}/{command}"
    return client.post(url, json=body, params=parameters, headers=headers)


def open_deal(
    client: TestClient,
    body: Mapping[str, Any] = OPENING,
    key: str | None = None,
    **parameters: str,
) -> Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/v1/deals", json=body, params=parameters, headers=headers)


def version_now(client: TestClient, deal_id: str) -> int:
    """The version that a deal is at."""
    trail = client.get(f"/v1/deals/{deal_id}/audit", params={"limit": "500"}).json()
    versions: list[int] = [entry["version"] for entry in trail["entries"]]
    return versions[-1]


def told(response: Response, status: int = 200) -> DealRecording:
    """What a command was answered with, which has exactly its shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    found = msgspec.json.decode(response.content, type=DealRecording)
    assert msgspec.json.encode(found) == response.content
    assert response.headers["etag"] == f'"{found.version}"'
    return found


def refused(response: Response) -> tuple[int, str]:
    """The status and the code of a problem, which says what would satisfy the rule it broke."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    return response.status_code, problem["code"]
