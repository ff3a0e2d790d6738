"""One importer, with an empty log, for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.exchange.importing import Importer


@pytest.fixture
def importer(tmp_path: Path) -> Iterator[Importer]:
    importer = Importer(tmp_path)
    yield importer
    importer.log.close()
