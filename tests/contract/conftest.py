"""The stores under test. A new kind of store is one more parameter here."""

from collections.abc import Callable, Iterator
from secrets import token_hex

import pytest
from msgspec.structs import replace

from store.location import Location
from store.log import DealLog
from tests.contract.asking import Ticking

NewLocation = Callable[[], Location]


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def new_location(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> NewLocation:
    """Gives a place for a store that is not there yet, another one at each call."""
    if request.param == "sqlite":
        return lambda: Location.beside(tmp_path_factory.mktemp("store") / "dealstate.db")
    assert request.param == "postgres"
    database = request.getfixturevalue("postgres")

    def new() -> Location:
        home = str(tmp_path_factory.mktemp("store"))
        return Location.around(replace(database, schema=f"s_{token_hex(6)}", home=home))

    return new


@pytest.fixture
def location(new_location: NewLocation) -> Location:
    """A place for a store that is not there yet."""
    return new_location()


@pytest.fixture
def log(location: Location) -> Iterator[DealLog]:
    """An empty log, whose clock ticks a second at each reading."""
    with DealLog.create(location, Ticking()) as log:
        yield log
