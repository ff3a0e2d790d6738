"""The service inside the test, and a client of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.client import Client
from store.location import Location
from store.log import DealLog
from tests.api.client.flaky import URL
from tests.api.serving import serving


@pytest.fixture
def location(tmp_path: Path) -> str:
    found = Location.beside(tmp_path / "deals.db")
    DealLog.create(found).close()
    return str(found)


@pytest.fixture
def service(location: str) -> Iterator[TestClient]:
    with serving(location) as service:
        yield service


@pytest.fixture
def client(service: TestClient) -> Client:
    return Client(URL, "unused", http=service)
