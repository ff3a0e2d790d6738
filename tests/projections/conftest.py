"""A store for each test of the read models."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.views import Views
from store.log import DealLog
from tests.projections.stores import opened_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[DealLog, Views]]:
    with opened_store(tmp_path / "store") as store:
        yield store


@pytest.fixture
def log(store: tuple[DealLog, Views]) -> DealLog:
    return store[0]


@pytest.fixture
def views(store: tuple[DealLog, Views]) -> Views:
    return store[1]
