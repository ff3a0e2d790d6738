"""Whose deals are, as the feed keeps it: as of now, whoever writes while it is read."""

import threading
from pathlib import Path
from typing import Any

import pytest

from api.feed import scopes
from api.feed.scopes import Scopes
from domain.lifecycle.commands import AssignTeamMember, ChangeOwner, OpenOpportunity
from store.location import Location
from store.log import DealLog
from tests.contract.asking import intent


@pytest.fixture
def log(tmp_path: Path) -> Any:
    with DealLog.create(Location.beside(tmp_path / "deals.db")) as log:
        for number in range(3):
            log.handle(f"d-{number}", OpenOpportunity("Press", "ann", "USD"), intent(f"o-{number}"))
        yield log


def owner(kept: Scopes, stream: str) -> str | None:
    kept.refresh()
    found = kept.of(stream)
    return None if found is None else found.owner


def test_a_deal_is_read_once_until_it_has_another_event(
    log: DealLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, asked, history = Scopes(log), list[str](), log.history

    def counted(deal_id: str) -> Any:
        asked.append(deal_id)
        return history(deal_id)

    monkeypatch.setattr(log, "history", counted)
    assert [owner(kept, "deal:d-0") for _ in range(3)] == ["ann"] * 3
    log.handle("d-1", ChangeOwner("bo"), intent("other"))
    assert owner(kept, "deal:d-0") == "ann"
    assert asked == ["d-0"]
    log.handle("d-0", ChangeOwner("bo"), intent("hand-over"))
    assert owner(kept, "deal:d-0") == "bo"
    assert asked == ["d-0", "d-0"]


def test_the_team_is_known(log: DealLog) -> None:
    kept = Scopes(log)
    log.handle("d-0", AssignTeamMember("bo", "support"), intent("assign"))
    kept.refresh()
    found = kept.of("deal:d-0")
    assert found is not None
    assert found.team == {"ann", "bo"}


def test_what_changes_while_it_is_read_is_not_kept(
    log: DealLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, history = Scopes(log), log.history

    def overtaken(deal_id: str) -> Any:
        monkeypatch.setattr(log, "history", history)
        found = history(deal_id)
        log.handle("d-0", ChangeOwner("bo"), intent("meanwhile"))
        other = threading.Thread(target=kept.refresh)
        other.start()
        other.join()
        return found

    monkeypatch.setattr(log, "history", overtaken)
    kept.refresh()
    kept.of("deal:d-0")
    assert owner(kept, "deal:d-0") == "bo"


def test_who_is_far_behind_forgets_everything(
    log: DealLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scopes, "_PLACES_AT_ONCE", 1)
    monkeypatch.setattr(scopes, "_FAR_BEHIND", 1)
    kept = Scopes(log)
    assert owner(kept, "deal:d-0") == "ann"
    for number in range(5):
        log.handle("d-1", ChangeOwner(f"bo-{number}"), intent(f"other-{number}"))
    log.handle("d-0", ChangeOwner("bo"), intent("hand-over"))
    assert owner(kept, "deal:d-0") == "bo"


def test_as_many_are_kept_as_there_is_room_for(
    log: DealLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scopes, "KEPT", 2)
    kept = Scopes(log)
    assert [owner(kept, f"deal:d-{number}") for number in (0, 1, 2, 0)] == ["ann"] * 4
    assert list(kept._kept) == ["deal:d-2", "deal:d-0"]
