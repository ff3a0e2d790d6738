"""A place for a key store, and an open one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.keys.ring import KeyRing
from tests.store.keys.making import create


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.keys.db"


@pytest.fixture
def ring(path: Path) -> Iterator[KeyRing]:
    with create(path) as ring:
        yield ring
