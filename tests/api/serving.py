"""Clients of the service for tests: whoever asks, and answers of exactly their shape."""

from typing import TypeVar

import msgspec
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.routes.common import _caller
from api.settings import Settings
from api.wire.problems import Problem
from domain.access import Principal

Shape = TypeVar("Shape")


def serving(url: str, principal: Principal | None = None) -> TestClient:
    """A client of a store, for whoever asks."""
    app: FastAPI = create_app(Settings(db=url, timezone="UTC", worker=False))
    if principal is not None:
        app.dependency_overrides[_caller] = lambda: principal
    return TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)


def read(client: TestClient, url: str, shape: type[Shape]) -> Shape:
    """The answer, which has to be of this shape, no key more or less."""
    response = client.get(url)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    decoded = msgspec.json.decode(response.content, type=shape)
    assert msgspec.json.encode(decoded) == response.content
    return decoded


def problem(client: TestClient, url: str, status: int) -> Problem:
    response = client.get(url)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return msgspec.json.decode(response.content, type=Problem)
