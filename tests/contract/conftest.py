"""An empty log of each kind of store."""

from collections.abc import Iterator

import pytest

from store.location import Location
from store.log import DealLog
from tests.conftest import NewLocation
from tests.contract.asking import Ticking


@pytest.fixture
def location(new_location: NewLocation) -> Location:
    """A place for a store that is not there yet."""
    return new_location()


@pytest.fixture
def log(location: Location) -> Iterator[DealLog]:
    """An empty log, whose clock ticks a second at each reading."""
    with DealLog.create(location, Ticking()) as log:
        yield log
