"""A log on the server of the run, and a server of its own to be stopped and killed."""

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from msgspec.structs import replace

from store.location import Location
from store.log import DealLog
from store.postgres.address import Database
from store.postgres.recorder import LogFactory, LogRecorder
from tests.contract.asking import Ticking
from tests.postgresql import Server, data_folder


@pytest.fixture
def location(postgres: Database, tmp_path: Path) -> Location:
    """A place for a store that is not there yet."""
    return Location.around(replace(postgres, schema=f"s_{token_hex(6)}", home=str(tmp_path)))


@pytest.fixture
def log(location: Location) -> Iterator[DealLog]:
    """An empty log, whose clock ticks a second at each reading."""
    with DealLog.create(location, Ticking()) as log:
        yield log


@pytest.fixture
def recorder(log: DealLog) -> Iterator[LogRecorder]:
    """Another recorder of the same log, as another process has one."""
    assert log.location.database is not None
    factory = LogFactory(log.location.database)
    yield factory.application_recorder()
    factory.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server for one test alone."""
    with Server(data_folder(tmp_path)).alone() as server:
        yield server
