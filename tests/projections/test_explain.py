"""No question to the log or the read models reads all of a large table, on either database.

In the small test the databases are told that the tables are large: SQLite by the
figures it would have of a million deals, PostgreSQL by having it avoid reading whole
tables wherever there is another way. The drill makes a million deals.
"""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from itertools import product
from operator import itemgetter
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from msgspec.structs import replace
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, String, text

import api.queries
from api.queries import (
    accesses,
    accounts,
    cohorts,
    conversions,
    drilldown,
    estimates,
    figures,
    flows,
    listing,
    losses,
    models,
    negotiations,
    parked,
    pipeline,
    postmortems,
    proofs,
    rates,
    replays,
    sealed,
    stores,
    targets,
    trails,
    users,
    views,
    waiting,
    warnings,
    whatif,
)
from api.queries import deals as deal_queries
from api.queries.instants import Instants
from api.workspace import Awaited, Workspace
from domain.access import EVERYTHING, Action, Principal, Role
from domain.process_files import built_in_processes
from domain.values import ProcessRef
from projections import deal_pages
from projections import deals as deals_model
from projections.audit import EntryQuery, find_entries
from projections.deal_pages import SORTABLE, page
from projections.deal_walks import DealQuery
from projections.readable import ALL, Readable
from projections.search import FILTERS
from projections.tables import deals
from projections.views import Views, open_views
from projections.whatif import Edits
from store.location import Location
from store.postgres.address import Database
from store.postgres.connections import connect
from tests.conftest import NewLocation
from tests.projections import many_deals
from tests.projections.histories import EPOCH
from tests.projections.many_deals import deal_rows, fill
from tests.projections.plans import Planned, planned
from tests.projections.stores import append_deals, make_log

OPERATOR = Principal("op", frozenset({Role.OPERATOR, Role.AUDITOR}))
SELLER = Principal("ann", frozenset({Role.SELLER}))
READABLE = (
    ALL,
    Readable(member="user-0003"),
    Readable(member="user-0003", owners=frozenset(f"user-{number:04d}" for number in range(900))),
)
NOW = Instants()

# As in sqlite_stat1: rows of the table, then how many share the first columns of the index.
OF_A_MILLION = [
    {"table": "deals", "index": "deals_by_status_and_opening", "figures": "928720 1001 1 1"},
    {"table": "deals", "index": "deals_by_status_and_last_event", "figures": "918944 1001 2 1"},
    {"table": "deals", "index": "deals_by_status_and_closing", "figures": "938496 1001 2 1"},
    {"table": "deals", "index": "deals_by_reference", "figures": "1705860 2 1"},
    {"table": "deals", "index": "deals_by_opening", "figures": "980441 1 1"},
    {"table": "deals", "index": "deals_by_name", "figures": "751606 1001 1"},
    {"table": "deals", "index": "deals_by_last_event", "figures": "980441 1 1"},
    {"table": "deals", "index": "deals_by_id", "figures": "968274 1"},
    {"table": "deals", "index": "deals_by_folded", "figures": "953442 2 1"},
    {"table": "deals", "index": "deals_by_expected_close", "figures": "1726920 501 1"},
    {"table": "deals", "index": "deals_by_closing", "figures": "1558440 2 1"},
    {"table": "deals", "index": "deals_by_amount", "figures": "1200420 16 1"},
    {"table": "deal_team", "index": "deal_team_by_deal", "figures": "3000000 3 1"},
    {"table": "deal_team", "index": "deal_team_by_member", "figures": "3000000 1500 1"},
    {"table": "entries", "index": "entries_by_recording", "figures": "9236900 1 1"},
    {"table": "entries", "index": "entries_by_position", "figures": "9265110 1"},
    {"table": "entries", "index": "entries_of_accesses", "figures": "9200 1 1"},
    {"table": "entries", "index": "entries_of_accesses_by_actor", "figures": "9200 90 1 1"},
    {"table": "entries", "index": "entries_by_actor", "figures": "9179612 1001 1 1"},
    {"table": "deal_periods", "index": "deal_periods_by_deal", "figures": "4000000 5 1 1"},
    {"table": "deal_periods", "index": "deal_periods_by_time", "figures": "4000000 2000 1 1"},
    {"table": "deal_marks", "index": "deal_marks_by_deal", "figures": "1000000 1"},
    {"table": "deal_marks", "index": "deal_marks_by_position", "figures": "1000000 1"},
]


def _asked(store: Workspace) -> dict[str, Callable[[], Any]]:
    """Every question there is, by the function that asks it."""
    return _asked_of_a_deal(store) | _asked_of_all(store)


def _asked_of_a_deal(store: Workspace) -> dict[str, Callable[[], Any]]:
    view = views.open_view(store, OPERATOR, Action.READ, "d-1")
    query = trails.TrailQuery(actor="ann", recorded_from=EPOCH, cursor=3)
    return {
        "deal_then": lambda: deal_queries.deal_then(view, NOW),
        "show_deal": lambda: deal_queries.show_deal(view, NOW),
        "show_gate": lambda: deal_queries.show_gate(view, NOW),
        "played": lambda: replays.played(view, NOW),
        "replay_deal": lambda: replays.replay_deal(view, NOW),
        "position_of": lambda: replays.position_of(view, NOW, 1),
        "postmortem_of": lambda: postmortems.postmortem_of(view, NOW),
        "what_if": lambda: whatif.what_if(view, Edits(at=1), NOW, OPERATOR),
        "stakeholder_map": lambda: deal_queries.stakeholder_map(view, NOW),
        "negotiations_of": lambda: negotiations.negotiations_of(view, NOW),
        "receipt": lambda: proofs.receipt(view, 1),
        "one_receipt": lambda: sealed.one_receipt(view, 1),
        "receipt_page": lambda: sealed.receipt_page(view, 5, 0),
        "receipts": lambda: proofs.receipts(view),
        "trail_of_deal": lambda: trails.trail_of_deal(view, query),
        "entries_of_events": lambda: trails.entries_of_events(view, [1]),
        "with_leaves": lambda: trails.with_leaves(
            store, OPERATOR, trails.trail_of_deal(view, trails.TrailQuery())
        ),
    }


def _asked_of_all(store: Workspace) -> dict[str, Callable[[], Any]]:
    query = trails.TrailQuery(actor="ann", recorded_from=EPOCH, cursor=3)
    process = built_in_processes().get(ProcessRef("key-account", 1))
    return {
        "try_process": lambda: whatif.try_process(store, process, NOW, OPERATOR),
        "warnings_at": lambda: warnings.warnings_at(
            store, OPERATOR, NOW, warnings.WarningsQuery({"owner": "ann"})
        ),
        "ask_losses": lambda: losses.ask_losses(store, OPERATOR, NOW, losses.LossQuery()),
        "ask_estimates": lambda: estimates.ask_estimates(store, lambda *_: None),
        "cohort_models": lambda: _models_of(store),
        "learning": lambda: _learn(store),
        "list_deals": lambda: listing.list_deals(
            store, OPERATOR, listing.DealListing(search="al 1")
        ),
        "readable_by": lambda: views.readable_by(store, SELLER),
        "accesses_to_all": lambda: accesses.accesses_to_all(store, replace(query, accesses=True)),
        "accesses_to_deal": lambda: accesses.accesses_to_deal(store, "d-1", query),
        "view_of_readable": lambda: views.view_of_readable(store, SELLER, "d-2"),
        "left_out_of_listings": lambda: _left_out(store, parked.left_out_of_listings),
        "left_out_of_pipeline": lambda: _left_out(store, parked.left_out_of_pipeline),
        "may_know_of": lambda: [
            waiting.may_know_of(store, SELLER, Awaited(name, 1)) for name in ("deal:d-1", "unit:u")
        ],
        "deal_of_reference": lambda: listing.deal_of_reference(store, "R"),
        "references_of": lambda: listing.references_of(store, ["d-1", "d-2"]),
        "find_deal": lambda: listing.find_deal(store, "d-17"),
        "read_models_status": lambda: models.read_models_status(store),
        "retry": lambda: models.retry(store, "deals", "d-1"),
        "named_among": lambda: parked.named_among(store, ["deal:d-1"], "Deal"),
        "ask_pipeline": lambda: pipeline.ask_pipeline(store, OPERATOR, NOW, ["stage", "owner"], {}),
        "ask_deals_behind": lambda: drilldown.ask_deals_behind(
            store, OPERATOR, NOW, drilldown.Drilldown(limit=5)
        ),
        "events_behind": lambda: drilldown.events_behind(store, OPERATOR, ["d-1"], EPOCH, EPOCH),
        "conversion_at": lambda: conversions.conversion_at(store, "EUR", EPOCH, EPOCH),
        "list_accounts": lambda: accounts.list_accounts(store, OPERATOR, accounts.AccountQuery()),
        "show_account": lambda: _show_account(store),
        "list_rates": lambda: rates.list_rates(store, base="EUR"),
        "work_out_rate": lambda: _rate_of(store),
        "list_targets": lambda: targets.list_targets(store),
        "directory_of": lambda: figures.directory_of(store, EPOCH, EPOCH),
        "last_checkpoint": lambda: proofs.last_checkpoint(store),
        "reference_of": lambda: proofs.reference_of(store, "deal:d-1"),
        "checkpoint_page": lambda: sealed.checkpoint_page(store, 5, 0),
        "checkpoint_note": lambda: sealed.checkpoint_note(store),
        "verifier_keys": lambda: sealed.verifier_keys(store),
        "read_status": lambda: stores.read_status(store),
        "trail_of_all": lambda: trails.trail_of_all(store, EVERYTHING, query),
        "names_of": lambda: users.names_of(store),
        "named_user": lambda: users.named_user(store, "ann"),
        "open_view": lambda: views.open_view(store, OPERATOR, Action.READ, "d-2"),
        "view_of_recorder": lambda: views.view_of_recorder(store, OPERATOR, "d-2"),
    }


def _left_out(
    store: Workspace, told: Callable[[Workspace, Connection, Readable], list[str]]
) -> None:
    with store.fresh() as connection:
        for readable in (ALL, Readable(member="ann")):
            told(store, connection, readable)


def _show_account(store: Workspace) -> None:
    with suppress(LookupError):
        accounts.show_account(store, OPERATOR, "acme")


def _rate_of(store: Workspace) -> None:
    with suppress(rates.NoRate):
        rates.work_out_rate(store, "EUR", "USD", EPOCH.date())


def _models_of(store: Workspace) -> None:
    with store.fresh() as connection, estimates.cohort_models(store, connection) as models:
        models.at(EPOCH)


def _learn(store: Workspace) -> None:
    with cohorts.learning(store, [EPOCH, store.now()]) as learned:
        learned.courses(store.now())


NOT_ASKED = {
    "disclose",
    *("users_page", "show_user", "units_page", "show_unit", "keys_page", "show_limits"),
    *("list_webhooks", "show_webhook", "visible_webhook", "list_deliveries", "show_delivery"),
    "consistency_of",
}
"""The first writes, and reads one event by its version. Then: what is in memory anyway, rows of the
outbox, and two checkpoints by their size."""

THROUGH_TIME = {
    *("ask_waterfall", "ask_waterfall_deals", "ask_figures", "ask_counted_deals", "ask_coverage"),
    *("ask_flow", "ask_cohorts", "ask_survival", "ask_outcomes", "ask_stuck"),
    *("ask_forecast", "ask_forecast_deals", "ask_forecast_history", "ask_calibration"),
}
"""Asked of the columnar copy, which a large store has; `make bench` measures them there. Of a
store without one all periods are read that they can need."""


OF_EVERY_DEAL = {
    "list_accounts",
    "show_account",
    "ask_estimates",
    "ask_losses",
    "try_process",
    "warnings_at",
}
"""Questions of all deals, which they sum, or fold one after the other."""


def test_every_question_is_asked_here(new_location: NewLocation) -> None:
    known = set()
    for module in pkgutil.iter_modules(api.queries.__path__, "api.queries."):
        for name, function in inspect.getmembers(import_module(module.name), inspect.isfunction):
            first = next(iter(inspect.signature(function).parameters), None)
            if not name.startswith("_") and first in {"store", "view"}:
                known.add(name)
    with Workspace.open(make_store(new_location())) as store:
        assert known - NOT_ASKED - THROUGH_TIME == set(_asked(store))


def make_store(location: Location) -> Location:
    """A store with some deals, its read models and a checkpoint."""
    log = make_log(location)
    append_deals(log, 300)
    log.close()
    with Workspace.open(location) as store:
        store.notary.checkpoint()
        with store.fresh():
            return location


def scans(found: list[Planned]) -> list[Planned]:
    return [one for one in found if one.scans]


@contextmanager
def large_tables(location: Location) -> Iterator[None]:
    """Have the database of a store plan as with a million deals."""
    if location.database is None:
        with closing(open_views(location)) as views, views.writing() as connection:
            connection.execute(text("ANALYZE sqlite_schema"))
            connection.execute(text("DELETE FROM sqlite_stat1"))
            insert = text("INSERT INTO sqlite_stat1 VALUES (:table, :index, :figures)")
            connection.execute(insert, OF_A_MILLION)
        yield
        return
    setting = SQL("ALTER DATABASE {} {}").format
    name = Identifier(location.database.name)
    with connect(location.database) as connection:
        connection.execute(setting(name, SQL("SET enable_seqscan = off")))
        try:
            yield
        finally:
            connection.execute(setting(name, SQL("RESET enable_seqscan")))


@pytest.fixture
def large(
    new_location: NewLocation, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Workspace, list[Planned]]]:
    """A store that its database plans for as a large one, and the plans of what is asked of it."""
    location = make_store(new_location())
    # Of so few deals as there are here, a walk must not reach all.
    monkeypatch.setattr(deal_pages, "WALKED_PER_DEAL", 1)
    monkeypatch.setattr(deal_pages, "WALKED_FAR_PER_DEAL", 2)
    monkeypatch.setattr(deal_pages, "MANY", 20)
    with (
        large_tables(location),
        planned(monkeypatch) as found,
        Workspace.open(location) as store,
    ):
        yield store, found


def test_no_question_reads_all_of_a_large_table(large: tuple[Workspace, list[Planned]]) -> None:
    store, found = large
    asked = _asked(store)
    for name, ask in asked.items():
        found.clear()
        ask()
        assert scans(found) == [] or name in OF_EVERY_DEAL, name


def test_no_question_over_some_deals_reads_all(large: tuple[Workspace, list[Planned]]) -> None:
    store, found = large
    theirs: dict[str, Callable[[], Any]] = {
        "ask_pipeline": lambda: pipeline.ask_pipeline(store, SELLER, NOW, ["stage"], {}),
        "warnings_at": lambda: warnings.warnings_at(store, SELLER, NOW, warnings.WarningsQuery()),
        "ask_losses": lambda: losses.ask_losses(store, SELLER, NOW, losses.LossQuery()),
        "ask_flow": lambda: flows.ask_flow(store, SELLER, NOW, {}),
    }
    if store.location.database is None:  # PostgreSQL takes all of so few deals for no more.
        theirs["list_accounts"] = lambda: accounts.list_accounts(
            store, SELLER, accounts.AccountQuery()
        )
    for name, ask in theirs.items():
        found.clear()
        ask()
        assert scans(found) == [], name


def test_no_trail_reads_all_entries(large: tuple[Workspace, list[Planned]]) -> None:
    store, found = large
    for query in _entry_queries():
        with store.views.reading() as connection:
            find_entries(connection, query)
    assert scans(found) == []


def pages_in_every_order(views: Views) -> Iterator[DealQuery]:
    """Ask for pages, first and later ones; gives what was asked for, one after the other."""
    wheres: list[dict[str, str]] = [{}, {"status": "open"}, {"owner": "ann"}]
    for sort, descending, where in product(SORTABLE, (True, False), wheres):
        for search, after in product((None, "al 1", "zz"), _cursors(sort)):
            for readable in READABLE:
                query = DealQuery(where, search, sort, descending, 5, after, readable)
                with views.reading() as connection:
                    page(connection, query)
                yield query


def ask_in_every_order(views: Views) -> None:
    assert len(list(pages_in_every_order(views))) > 500


def _cursors(sort: str) -> list[tuple[Any, str] | None]:
    column = deals.c[sort]
    value = "2026" if isinstance(column.type, String) else 1
    return [None, (value, "d-1"), *([(None, "d-1")] if column.nullable else [])]


def name_some(views: Views) -> None:
    """Ask for deals by what they may be called."""
    for wanted in ("CRM-0000017", "Press line", "zz", "0", "d-17"):
        with views.reading() as connection, suppress(LookupError):
            deals_model.find(connection, wanted)


def test_no_page_reads_all_deals(large: tuple[Workspace, list[Planned]]) -> None:
    store, found = large
    ask_in_every_order(store.views)
    name_some(store.views)
    assert scans(found) == []
    assert any(one.walks for one in found)


def test_no_page_depends_on_what_a_database_thinks_of_the_deals(
    new_location: NewLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of so few, PostgreSQL thinks that reading and sorting all is best."""
    with planned(monkeypatch) as found, Workspace.open(make_store(new_location())) as store:
        with store.fresh():
            found.clear()
        ask_in_every_order(store.views)
    assert scans(found) == []
    assert any(one.walks for one in found)


@pytest.fixture
def written_in_order(new_location: NewLocation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Views]:
    """Deals that stand in their table by when they changed, so that reading on costs little."""
    last_occurred_at = list(deals.columns.keys()).index("last_occurred_at")
    rows = sorted(deal_rows(5_000), key=itemgetter(last_occurred_at))
    monkeypatch.setattr(many_deals, "deal_rows", lambda _: iter(rows))
    with closing(open_views(new_location())) as views:
        fill(views, deal_count=len(rows), entry_count=0)
        yield views


def test_deals_of_a_status_are_found_among_themselves(
    written_in_order: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that changed last are open, and whoever looks for others would read all of them."""
    queries = product(("lost", "won", "open"), ("opened_at", "last_occurred_at"), (True, False))
    with planned(monkeypatch) as found:
        for status, sort, descending in queries:
            with written_in_order.reading() as connection:
                page(connection, DealQuery({"status": status}, None, sort, descending))
    assert scans(found) == []


def test_entries_of_an_actor_are_found_among_themselves(
    new_location: NewLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of all entries are one actor's, and need not be among the first."""
    with closing(open_views(new_location())) as views:
        fill(views, deal_count=10, entry_count=5_000)
        with planned(monkeypatch) as found:
            for after in (0, 2_500):
                with views.reading() as connection:
                    find_entries(connection, EntryQuery("importer", after=after))
    assert scans(found) == []


def test_a_page_leaves_no_settings_behind(postgres: Database, tmp_path: Path) -> None:
    database = replace(postgres, schema=f"s_{token_hex(6)}", home=str(tmp_path))
    location = make_store(Location.around(database))
    settings = text("SELECT name, setting FROM pg_settings ORDER BY name")
    query = DealQuery({"status": "open"}, "zz")
    with closing(open_views(location)) as views, views.reading() as connection:
        before = connection.execute(settings).all()
        page(connection, query)
        assert connection.execute(settings).all() == before


@pytest.mark.parametrize("index", ["deals_by_amount", "deals_by_folded"])
def test_a_missing_index_is_told(large: tuple[Workspace, list[Planned]], index: str) -> None:
    store, found = large
    with store.views.writing() as connection:
        connection.execute(text(f"DROP INDEX {index}"))
    found.clear()
    name_some(store.views)
    # One plan that tells is enough.
    assert scans(found) or any(scans(found) for _ in pages_in_every_order(store.views))


@pytest.mark.drill
def test_nothing_reads_all_of_a_million_deals(
    new_location: NewLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_views(new_location())) as views:
        fill(views, deal_count=1_000_000, entry_count=1_000_000)
        with planned(monkeypatch) as found:
            ask_in_every_order(views)
            name_some(views)
            for name in FILTERS:
                with views.reading() as connection:
                    page(connection, DealQuery(where={name: "x"}))
            for query in _entry_queries():
                with views.reading() as connection:
                    find_entries(connection, query)
        assert scans(found) == []


def _entry_queries() -> Iterator[EntryQuery]:
    moments = (None, EPOCH)
    for actor, start, end, after in product((None, "importer"), moments, moments, (0, 500_000)):
        yield EntryQuery(actor, start, end, after)
        yield EntryQuery(actor, start, end, after, accesses=True)
