"""A store opened: read models are caught up before they are read."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.queries.listing import DealListing, list_deals
from api.queries.stores import read_status
from api.workspace import Awaited, Workspace
from projections.deals import find
from projections.engine.keeping_up import catch_up
from projections.views import Views
from store.errors import StoreError
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.serving import HOLDER
from tests.api.small_store import DEALS


def test_what_was_just_appended_is_read(own_store: str) -> None:
    location = Location.parse(own_store)
    with Workspace.open(location) as store:
        before = list_deals(store, HOLDER, DealListing()).deals
        store.log.append([Batch("deal:d-new", 0, DEALS["d-rest"])])
        with DealLog.open(location) as other:
            other.append([Batch("deal:d-newer", 0, DEALS["d-rest"])])
        after = list_deals(store, HOLDER, DealListing()).deals
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
    assert told[-1] == (head, head)
    assert told == sorted(told)


def test_what_is_in_the_log_is_known(own_store: str) -> None:
    location = Location.parse(own_store)
    awaited = Awaited.parse("deal:d-new@3")
    with Workspace.open(location) as store, DealLog.open(location) as other:
        assert not store.has(awaited)
        other.append([Batch("deal:d-new", 0, DEALS["d-rest"])])
        assert store.has(awaited)
        assert not store.has(Awaited.parse("deal:d-new@4"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "deal:d-1",
        "deal:d-1@",
        "@1",
        "d-1@1",
        "dream:d-1@1",
        "deal:@1",
        "deal:d-1@0",
        "deal:d-1@-1",
        "deal:d-1@one",
        "deal:d-1@1.0",
        "deal:d-1@٣",
        f"deal:{'x' * 300}@1",
        f"deal:d-1@{'9' * 19}",
        "deal:d\0@1",
    ],
)
def test_what_names_no_event_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="stream@version"):
        Awaited.parse(text)


def test_a_stream_may_have_any_name(own_store: str) -> None:
    assert Awaited.parse("deal:a@b:机器@12") == Awaited("deal:a@b:机器", 12)


def test_read_models_that_are_removed_meanwhile_are_built_again(own_store: str) -> None:
    location = Location.parse(own_store)
    removals = iter(range(1))

    def and_then_removed(views: Views, *args: Any, **more: Any) -> int:
        applied = catch_up(views, *args, **more)
        for _ in removals:
            views.close()
            location.views.unlink()
        return applied

    location.views.unlink(missing_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("projections.engine.keeping_up.catch_up", and_then_removed)
        with Workspace.open(location) as store, store.fresh() as connection:
            assert find(connection, "d-press") == "d-press"
    assert not list(removals), "nothing was removed"


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
