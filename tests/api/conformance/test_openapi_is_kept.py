"""Every operation of the OpenAPI document answers as the document says, whoever asks.

schemathesis makes requests from the document, those that it allows and those that it forbids,
and checks each answer: no failure of the server, no status, header, media type or shape that is
not documented, nothing accepted that is forbidden. Few requests of each kind with every change,
many by the drills.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import HypothesisException
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok

from api.app import create_app
from api.settings import Settings
from store.location import Location
from tests.api.auth.everybody import everybody

ROLES = ("seller", "mei", "analyst", "auditor", "admin", "idle", "record")
ENDLESS = {"/v1/events/stream"}
"""Streams, which do not end by themselves; they have tests of their own."""

few = settings(
    max_examples=2,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)
many = settings(few, max_examples=100)


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The service over a socket, as whoever asks meets it."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    thread = Thread(target=server.run)
    thread.start()
    give_up = monotonic() + 20
    while not server.started:
        assert thread.is_alive()
        assert monotonic() < give_up
        sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("role", ROLES)
def test_a_few_requests(tmp_path: Path, role: str) -> None:
    ask_everything(tmp_path, role, few)


@pytest.mark.drill
@pytest.mark.parametrize("role", ROLES)
def test_many_requests(tmp_path: Path, role: str) -> None:
    ask_everything(tmp_path, role, many)


def ask_everything(folder: Path, role: str, effort: settings) -> None:
    location = Location.beside(folder / "deals.db")
    sent = everybody(location)
    app = create_app(Settings(db=str(location), worker=False))
    schema = schemathesis.openapi.from_dict(app.openapi())
    failures: dict[str, BaseException] = {}
    with listening(app) as url:
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            if operation.path in ENDLESS:
                continue
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                try:
                    ask(operation, mode, url, sent[role], effort)
                except (FailureGroup, Failure, HypothesisException) as error:
                    failures[f"{operation.label} {mode}"] = error
    told = [f"{label}: {error}" for label, error in failures.items()]
    assert not told, f"{len(told)} failures\n" + "\n".join(told)


def ask(operation: Any, mode: GenerationMode, url: str, token: str, effort: settings) -> None:
    cases = operation.as_strategy(generation_mode=mode)

    @effort
    @given(case=cases)
    def answers_as_documented(case: Any) -> None:
        case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {token}"})

    answers_as_documented()
