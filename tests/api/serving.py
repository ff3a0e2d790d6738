"""Clients of the service for tests: whoever asks, and answers of exactly their shape."""

from typing import TypeVar

import msgspec
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.auth.callers import Authenticate
from api.settings import Settings
from api.wire.problems import Problem
from domain.access import Principal, Role

Shape = TypeVar("Shape")


HOLDER = Principal("http", frozenset({Role.OPERATOR}))


def app_of(settings: Settings, principal: Principal | None = None) -> FastAPI:
    """The service, where everybody who asks is this one."""
    return create_app(settings, everybody_is(principal or HOLDER))


def everybody_is(principal: Principal) -> Authenticate:
    return lambda *_: principal


def serving(url: str, principal: Principal | None = None) -> TestClient:
    """A client of a store, for whoever asks; who holds the store, where nobody else is named."""
    app = app_of(Settings(db=url, timezone="UTC", worker=False, rate_per_second=0), principal)
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
