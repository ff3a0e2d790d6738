"""With kept models, a question about one deal reads no large table, on either database."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.queries.cohorts import BY_THE_WORKER
from api.queries.estimates import cohort_models
from api.queries.instants import Instants
from api.queries.postmortems import postmortem_of
from api.queries.replays import position_of, replay_deal
from api.queries.views import View, open_view
from api.settings import Settings
from api.simulate import portfolio as simulator
from api.wire.moves import Replay
from api.workspace import Workspace
from domain.access import Action, Principal, Role
from projections.cohort import models
from projections.cohort.stored import StoredPortfolio, all_deals
from projections.cohort.upkeep import Upkeep
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.serving import app_of
from tests.conftest import NewLocation
from tests.projections.cohort.portfolios import NOW, PROCESSES, SEED
from tests.projections.plans import planned
from tests.projections.test_explain import large_tables, scans

COUNT, FEWEST = 30, 5
AUDITOR = Principal("op", frozenset({Role.OPERATOR, Role.AUDITOR}))


def filled(location: Location) -> Location:
    """A store with the first deals of the portfolio."""
    period = simulator.period(24, simulator.UNTIL)
    with Workspace.create(location) as store:
        for number in range(COUNT):
            deal = simulator.simulated(SEED, number, period, PROCESSES)
            log: DealLog = store.log
            log.append([Batch(deal.stream, 0, list(deal.drafts))])
    return location


@pytest.fixture
def served(new_location: NewLocation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """The store as a service has it. Its models are of a few deals, instead of a hundred."""
    options = {"least": FEWEST}
    monkeypatch.setattr(cohort_models.__wrapped__, "__kwdefaults__", options)  # type: ignore[attr-defined]
    with Workspace.open(filled(new_location()), clock=lambda: NOW) as store:
        store.makes_models = False
        upkeep = Upkeep(store.location.views, store.zone, least=FEWEST, step_seconds=600)
        monkeypatch.setitem(store.__dict__, "_upkeep", upkeep)
        yield store


def some_view(store: Workspace) -> View:
    """A deal that ran lately, so that there are models for it."""
    with store.fresh() as connection:
        told = StoredPortfolio(connection, store.tail)
        found = dict(told.histories(all_deals(connection)))
    last = max(found, key=lambda deal_id: found[deal_id][0].occurred_at)
    return open_view(store, AUDITOR, Action.READ, last)


def questions(view: View) -> dict[str, Callable[[], Any]]:
    last = len(replay_deal(view, Instants()).moves)
    return {
        "replay": lambda: replay_deal(view, Instants()),
        "position": lambda: position_of(view, Instants(), last),
        "postmortem": lambda: postmortem_of(view, Instants()),
    }


def some_estimated(replay: Replay) -> datetime:
    """When a move was made that has an estimate."""
    at = next(move.at for move in reversed(replay.moves) if move.estimate is not None)
    return datetime.fromisoformat(at)


def test_with_kept_models_no_question_reads_a_large_table(
    served: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = some_view(served)
    served.maintain_models()
    monkeypatch.setattr(models, "FEW_EVENTS", 0)
    monkeypatch.setattr(StoredPortfolio, "decided", None)
    monkeypatch.setattr(StoredPortfolio, "histories", None)
    with (
        large_tables(served.location),
        planned(monkeypatch) as found,
        # Only statements of connections that are opened meanwhile are seen.
        Workspace.open(served.location, clock=lambda: NOW) as store,
    ):
        for store.makes_models in (False, True):
            asked = questions(open_view(store, AUDITOR, Action.READ, view.deal_id))
            for name, ask in asked.items():
                found.clear()
                assert ask().caveats == []
                assert any("known_at" in one.statement for one in found)
                assert scans(found) == [], name


def test_a_service_makes_no_models_and_says_who_does(
    served: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = some_view(served)
    monkeypatch.setattr(models, "FEW_EVENTS", 0)
    replay = replay_deal(view, Instants())
    assert all(move.estimate is None for move in replay.moves)
    [caveat] = replay.caveats
    assert caveat.endswith(BY_THE_WORKER)
    assert not served.location.views.with_name("deals.cohort.db").exists()
    served.maintain_models()
    again = replay_deal(view, Instants())
    assert again.caveats == []
    assert any(move.estimate is not None for move in again.moves)


def test_a_service_answers_with_late_models_and_says_so(
    served: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = some_view(served)
    served.maintain_models()
    monkeypatch.setattr(StoredPortfolio, "learned_from", lambda *_: 0)
    replay = replay_deal(view, Instants())
    [caveat] = replay.caveats
    assert "does not count yet what was recorded late" in caveat
    assert any(move.estimate is not None for move in replay.moves)


def test_on_the_command_line_a_question_makes_what_is_missing(served: Workspace) -> None:
    told: list[tuple[int, int]] = []
    served.makes_models = True
    replay = replay_deal(some_view(served), Instants(), progress=lambda *at: told.append(at))
    assert replay.caveats == []
    assert told[-1][0] == told[-1][1] > 0
    with served.fresh() as connection, cohort_models(served, connection) as found:
        assert found.kept(some_estimated(replay)) is not None


def test_a_service_leaves_models_to_its_worker(tmp_path: Path) -> None:
    location = filled(Location.beside(tmp_path / "deals.db"))
    app = app_of(Settings(db=str(location), worker=True))
    with TestClient(app):
        store = app.state.store
        assert not store.makes_models
        assert app.state.worker._maintain == [store.maintain_columns, store.maintain_models]
