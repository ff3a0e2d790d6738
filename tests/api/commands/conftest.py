"""One service for all tests of this folder, over one store after the other.

Its first request takes longer than all that a test asks of it, so it is started once.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from api.workspace import Workspace
from domain.access import Principal, Role
from domain.directory import MembershipGranted, UnitRegistered, UserRegistered
from store.location import Location
from tests.api.commands.asking import ANNA, BO, HOLDER, OPENING, new_store, open_deal, put, told


class Service:
    """The service over a store of one test, asked by one user after the other."""

    def __init__(self, running: "Running") -> None:
        self._running = running

    def as_(self, principal: Principal) -> TestClient:
        self._running.caller = principal
        return self._running.client


class Running:
    """The service, whose store and callers change."""

    def __init__(self, location: Location) -> None:
        self.caller = HOLDER
        settings = Settings(
            db=str(location), worker=False, rate_per_second=10_000, rate_burst=1_000_000
        )
        self.app = create_app(settings, lambda *_: self.caller)
        self.client = TestClient(self.app, base_url="http://127.0.0.1")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Location:
    """A store with a deal of Anna's, who belongs to the unit west, and one of Bo's, of none."""
    location = new_store(Location.beside(tmp_path_factory.mktemp("template") / "deals.db"))
    for unit in ("west", "east"):
        put(location, f"unit:{unit}", UnitRegistered(unit, unit))
    granted = MembershipGranted("anna", Role.SELLER, "west")
    put(location, "user:anna", UserRegistered("anna", "Anna Lee"), granted)
    return location


@pytest.fixture(scope="session")
def running(template: Location) -> Iterator[Running]:
    running = Running(template)
    with running.client:
        running.caller = ANNA
        told(open_deal(running.client, id="d-anna"), 201)
        running.caller = BO
        told(open_deal(running.client, OPENING | {"owner": "bo"}, id="d-bo"), 201)
        yield running


@pytest.fixture
def service(running: Running, template: Location, tmp_path: Path) -> Iterator[Service]:
    """The service over a store of its own."""
    for file in template.log.parent.iterdir():
        shutil.copy(file, tmp_path / file.name)
    before = running.app.state.store
    with Workspace.open(Location.beside(tmp_path / template.log.name)) as store:
        running.app.state.store = store
        yield Service(running)
    running.app.state.store = before


@pytest.fixture
def client(service: Service) -> TestClient:
    """Asks as who holds the store."""
    return service.as_(HOLDER)
