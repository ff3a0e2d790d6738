"""Who is shown secrets is on record before they are; who is shown none is not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.accesses import AUDIT
from api.app import create_app
from api.settings import Settings
from api.wire.trails import AuditTrail
from api.workspace import Workspace
from domain.access import EVERYTHING, Principal, Role
from domain.accesses import DataExported, SecretsRead
from domain.history import Recorded, StreamKind
from store.errors import StoreFull, StoreUnavailable
from tests.api import talks
from tests.api.auth.access import BODIES, VALUES, table
from tests.api.serving import read

DEAL = "d-talks"
ALL = tuple(sorted(EVERYTHING))
MARKS = talks.Marks(
    walk_away="903.17", revised="883.29", reason="zz-our-reason", basis="zz-our-basis"
)
MARKED = (b"903.17", b"883.29", b"zz-our-reason", b"zz-our-basis")

WHO = {
    "seller": Principal("u-anna", frozenset({Role.SELLER})),
    "manager": Principal("u-mei", frozenset({Role.MANAGER}), frozenset({"emea"})),
    "auditor": Principal("u-aud", frozenset({Role.AUDITOR})),
    "analyst": Principal("u-ann", frozenset({Role.ANALYST})),
    "stranger": Principal("u-ben", frozenset({Role.SELLER})),
    "operator": Principal("op", frozenset({Role.OPERATOR})),
}

READING = [
    route
    for route in dict.fromkeys(route for route, _ in table())
    # A stream of events has no end, and shows what is public alone.
    if (route.startswith("GET /v1/") and not route.endswith("/stream")) or route.endswith("whatif")
]


class Asking:
    """A service over a store, for whoever is named."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def __call__(self, route: str, who: str, **parameters: str) -> Any:
        method, path = route.split()
        url = path.format(**(VALUES | {"deal_id": DEAL}))
        return self.client.request(
            method,
            url,
            params=parameters,
            json=BODIES.get(route),
            headers={"Authorization": f"Bearer {who}"},
        )

    @property
    def store(self) -> Workspace:
        store: Workspace = self.client.app.state.store  # type: ignore[attr-defined]
        return store

    def recorded(self) -> list[Recorded[Any]]:
        log = self.store.log
        names = [*log.streams(StreamKind.ACCESS), *log.streams(StreamKind.EXPORT)]
        return [event for name in names for event in log.events_in(name)]


def serving(url: str) -> TestClient:
    app = create_app(
        Settings(db=url, timezone="UTC", worker=False), lambda given, _: WHO[given[0].split()[1]]
    )
    return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Asking]:
    with serving(talks.make(tmp_path, MARKS)) as client:
        yield Asking(client)


@pytest.fixture
def full(ask: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log takes nothing in."""

    def refuse(_: Callable[[], object]) -> int:
        raise StoreFull("there is no room to write deals.db", "Free some.")

    monkeypatch.setattr(ask.store.log, "append_alone", refuse)


def shows_secrets(answer: Any) -> bool:
    return any(mark in answer.content for mark in MARKED)


def test_the_marks_are_shown_to_whoever_may_see_them(ask: Asking) -> None:
    for who in ("seller", "manager", "auditor", "operator"):
        assert shows_secrets(ask("GET /v1/deals/{deal_id}/negotiation", who)), who
    for who in ("analyst", "stranger"):
        assert not shows_secrets(ask("GET /v1/deals/{deal_id}/negotiation", who)), who


@pytest.mark.usefixtures("full")
def test_no_answer_shows_a_secret_where_that_cannot_be_recorded(ask: Asking) -> None:
    refused = dict.fromkeys(("seller", "auditor", "analyst"), 0)
    for route in READING:
        for who in refused:
            answer = ask(route, who)
            assert not shows_secrets(answer), (route, who)
            if answer.status_code == 507:
                assert answer.json()["code"] == "store-full"
                assert b"deals.db" not in answer.content
                refused[who] += 1
    assert ask.recorded() == []
    assert refused["auditor"] > refused["seller"] >= 8
    assert refused["analyst"] == 0


def test_no_answer_shows_a_secret_without_an_event_before_it(ask: Asking) -> None:
    shown: set[str] = set()
    for route in [one for one in READING if "{deal_id}" in one or one == "GET /v1/audit"]:
        for who in ("manager", "auditor", "stranger"):
            answer = ask(route, who)
            if shows_secrets(answer):
                shown.add(who)
                assert WHO[who].id in {event.actor for event in ask.recorded()}, (route, who)
    assert shown == {"manager", "auditor"}
    # Nobody else is on record, and nobody twice for the same on a day.
    found = [(event.actor, event.stream) for event in ask.recorded()]
    assert len(found) == len(set(found))
    assert {actor for actor, _ in found} == {"u-mei", "u-aud"}


def test_it_is_told_how_it_was_asked_first(ask: Asking) -> None:
    ask("GET /v1/deals/{deal_id}/negotiation", "seller")
    ask("GET /v1/deals/{deal_id}", "seller")
    ask("GET /v1/audit", "auditor")
    read_, exported = ask.recorded()
    route = "GET /v1/deals/{deal_id}/negotiation"
    assert read_.fact == SecretsRead(DEAL, route, ALL)
    assert (read_.actor, read_.source, read_.stream) == ("u-anna", "http", f"access:{DEAL}")
    assert exported.fact == DataExported(AUDIT, "GET /v1/audit", ALL)
    assert (exported.actor, exported.stream) == ("u-aud", f"export:{AUDIT}")


def test_whether_there_are_secrets_cannot_be_told_from_the_record(tmp_path: Path) -> None:
    heads = []
    for name, marks in (("some", MARKS), ("others", talks.Marks(reading=None))):
        (tmp_path / name).mkdir()
        with serving(talks.make(tmp_path / name, marks)) as client:
            ask = Asking(client)
            for route in READING:
                if "{deal_id}" in route:
                    ask(route, "seller")
            heads.append((ask.store.log.head(), [event.fact for event in ask.recorded()]))
    assert heads[0] == heads[1]


def test_what_may_not_be_read_is_not_on_record(ask: Asking) -> None:
    assert ask("GET /v1/deals/{deal_id}", "stranger").status_code == 404
    assert ask.recorded() == []


def test_a_lost_database_is_told_as_such(ask: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Callable[[], object]) -> int:
        raise StoreUnavailable("the server at 10.0.0.9 does not answer", "Start it.")

    ask("GET /v1/deals/{deal_id}", "seller")
    monkeypatch.setattr(ask.store.log, "append_alone", refuse)
    assert ask("GET /v1/deals/{deal_id}", "seller").status_code == 200
    assert ask("GET /v1/deals/{deal_id}", "analyst").status_code == 200
    answer = ask("GET /v1/deals/{deal_id}", "manager")
    assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
    assert answer.headers["retry-after"]
    assert b"10.0.0.9" not in answer.content


# Listing them.


def test_auditors_see_who_was_shown_secrets(ask: Asking) -> None:
    for who in ("seller", "manager", "auditor"):
        ask("GET /v1/deals/{deal_id}", who)
    ask("GET /v1/audit", "auditor")

    def listed(**parameters: str) -> list[tuple[str, str]]:
        answer = ask("GET /v1/accesses", "auditor", **parameters)
        assert answer.status_code == 200, answer.text
        return [(entry["actor"]["id"], entry["stream"]) for entry in answer.json()["entries"]]

    deal = [(user, f"access:{DEAL}") for user in ("u-anna", "u-mei", "u-aud")]
    everything = [*deal, ("u-aud", f"export:{AUDIT}")]
    assert listed() == everything
    assert listed(deal=DEAL) == deal
    assert listed(deal="d-none") == []
    assert listed(actor="Aud Moe") == everything[2:]
    assert listed(deal=DEAL, actor="u-mei") == deal[1:2]
    assert listed(since="now") == []
    assert listed(until="2026-01-01", deal=DEAL) == []
    # One at a time.
    for of in ({}, {"deal": DEAL}):
        first = ask("GET /v1/accesses", "auditor", limit="2", **of).json()
        rest = listed(cursor=first["cursor"], **of)
        whole = everything if not of else deal
        assert len(first["entries"]) == 2
        assert rest == whole[2:]
    assert ask("GET /v1/accesses", "auditor", deal="a\0b").status_code == 422


def test_an_entry_says_all_of_it(ask: Asking) -> None:
    ask("GET /v1/deals/{deal_id}", "seller")
    ask.client.headers["Authorization"] = "Bearer auditor"
    (entry,) = read(ask.client, f"/v1/accesses?deal={DEAL}", AuditTrail).entries
    assert entry.what == f"read deal {DEAL} with its secrets: GET /v1/deals/{{deal_id}}"
    assert (entry.actor.name, entry.source) == ("Anna Lee", "http")
    assert entry.fact == SecretsRead(DEAL, "GET /v1/deals/{deal_id}", ALL)
    assert entry.leaf is not None
    trail = read(ask.client, "/v1/audit?limit=500", AuditTrail).entries
    assert entry in trail


# On the command line, and in a program.


def test_whoever_holds_the_files_is_not_on_record(ask: Asking) -> None:
    ask("GET /v1/deals/{deal_id}", "operator")
    ask("GET /v1/audit", "operator")
    assert ask.recorded() == []


def test_in_a_program_it_is_recorded_at_once(ask: Asking) -> None:
    from api.queries.views import open_view
    from domain.access import Action

    open_view(ask.store, WHO["seller"], Action.READ, DEAL)
    (event,) = ask.recorded()
    assert (event.actor, event.source, event.fact.route) == ("u-anna", "api", "in process")
