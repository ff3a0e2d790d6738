"""A store for the tests of the edges: made once, copied for those that write to it."""

import shutil
from pathlib import Path

import pytest

from tests.api.small_store import make_small_store


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of the small store. Only for reading."""
    return make_small_store(tmp_path_factory.mktemp("small-store"))


@pytest.fixture
def own_store(small_store: str, tmp_path: Path) -> str:
    """URL of a copy of the small store."""
    log = Path(small_store.removeprefix("sqlite:///"))
    for file in log.parent.iterdir():
        shutil.copy(file, tmp_path / file.name)
    return f"sqlite:///{tmp_path / log.name}"
