"""A store for each test of the read models, on each database."""

from collections.abc import Iterator

import pytest

from projections.views import Views
from store.location import Location
from store.log import DealLog
from store.tail import Tail
from tests.conftest import NewLocation
from tests.projections.stores import opened_store


@pytest.fixture
def location(new_location: NewLocation) -> Location:
    """A place for a store that is not there yet."""
    return new_location()


@pytest.fixture
def store(location: Location) -> Iterator[tuple[DealLog, Views]]:
    with opened_store(location) as store:
        yield store


@pytest.fixture
def log(store: tuple[DealLog, Views]) -> DealLog:
    return store[0]


@pytest.fixture
def tail(log: DealLog) -> Tail:
    """The log as the read models read it."""
    return Tail(log)


@pytest.fixture
def views(store: tuple[DealLog, Views]) -> Views:
    return store[1]
