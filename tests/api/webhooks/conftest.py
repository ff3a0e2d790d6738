"""A store with a webhook, and a receiver."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.location import Location
from tests.api.webhooks.receiving import Receiver
from tests.api.webhooks.selling import Selling, Steps
from tests.conftest import NewLocation


@pytest.fixture
def selling(tmp_path: Path) -> Iterator[Selling]:
    """On SQLite."""
    selling = Selling(Location.beside(tmp_path / "deals.db"))
    yield selling
    selling.store.close()


@pytest.fixture
def selling_on_each(new_location: NewLocation) -> Iterator[Selling]:
    """On each database."""
    selling = Selling(new_location())
    yield selling
    selling.store.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver().start()
    yield receiver
    receiver.stop()


@pytest.fixture
def steps(selling: Selling) -> Steps:
    return Steps(selling)
