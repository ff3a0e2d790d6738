"""A store opened: read models are caught up before they are read."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.queries.listing import DealListing, list_deals
from api.queries.stores import read_status
from api.workspace import Workspace
from store.errors import StoreError
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.small_store import DEALS


def test_what_was_just_appended_is_read(own_store: str) -> None:
    location = Location.parse(own_store)
    with Workspace.open(location) as store:
        before = list_deals(store, DealListing()).deals
        store.log.append([Batch("deal:d-new", 0, DEALS["d-rest"])])
        with DealLog.open(location) as other:
            other.append([Batch("deal:d-newer", 0, DEALS["d-rest"])])
        after = list_deals(store, DealListing()).deals
    assert {d.id for d in after} - {d.id for d in before} == {"d-new", "d-newer"}


def test_reading_tells_how_far_it_is(own_store: str) -> None:
    told: list[tuple[int, int]] = []
    location = Location.parse(own_store)
    location.views.unlink(missing_ok=True)
    with (
        Workspace.open(location, progress=lambda done, total: told.append((done, total))) as store,
        store.fresh(),
    ):
        head = store.log.head()
    assert told == [(head, head)]


def test_a_store_is_made_once(tmp_path: Path) -> None:
    location = Location.beside(tmp_path / "x.db")
    with Workspace.create(location, ZoneInfo("Asia/Shanghai")) as store:
        assert read_status(store).events == 0
        assert store.zone.key == "Asia/Shanghai"
    with pytest.raises(StoreError, match="is a log already"):
        Workspace.create(location)


def test_a_missing_store_is_not_made_by_opening_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no log"):
        Workspace.open(Location.beside(tmp_path / "x.db"))
    assert list(tmp_path.iterdir()) == []
