"""The HTTP service: every route, problems for everything that goes wrong, pages, documentation."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.around.guard import HEADERS
from api.problems import MEANINGS
from api.queries.models import read_models_status
from api.settings import Settings
from api.times import TimeError
from api.wire.deals import DealDetail, DealGate, DealPage
from api.wire.health import Alive, Ready, StoreStatus
from api.wire.moves import Replay
from api.wire.pipelines import Pipeline
from api.wire.problems import Problem
from api.wire.processes import Process, ProcessList
from api.wire.trails import AuditTrail
from api.workspace import Workspace
from domain.refusals import every_refusal
from store.errors import StoreBusy, StoreError, StoreFull
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import run_command
from tests.api.serving import app_of
from tests.api.small_store import DEALS, EVENTS

Shape = TypeVar("Shape")
Get = Callable[..., Any]


@pytest.fixture(scope="module")
def app(small_store: str) -> FastAPI:
    return app_of(Settings(db=small_store, timezone="UTC"))


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        yield client


def read(client: TestClient, url: str, shape: type[Shape]) -> Shape:
    """The answer, which has to be of this shape, no key more or less."""
    response = client.get(url)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    decoded = msgspec.json.decode(response.content, type=shape)
    assert msgspec.json.encode(decoded) == response.content
    return decoded


def problem(client: TestClient, url: str, status: int, method: str = "GET") -> Problem:
    """The problem that a request leads to."""
    response = client.request(method, url)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found = msgspec.json.decode(response.content, type=Problem)
    assert found.status == status
    assert found.type == f"/docs/problems/{found.code}"
    assert found.code in {*MEANINGS, *(refusal.code for refusal in every_refusal())}
    return found


# The same answers as on the command line.


@pytest.mark.parametrize(
    ("url", "args"),
    [
        ("/v1/deals", ["deals"]),
        ("/v1/deals?status=open&sort=-amount", ["deals", "--status", "open", "--sort", "-amount"]),
        ("/v1/deals?owner=Ben%20Ito&limit=1", ["deals", "--owner", "Ben Ito", "--limit", "1"]),
        ("/v1/deals?region=", ["deals", "--region", ""]),
        ("/v1/deals/d-press?as_of=2026-03-02&known_at=2026-03-19",
         ["show", "P-1", "--as-of", "2026-03-02", "--known-at", "2026-03-19"]),
        ("/v1/deals/d-press/replay?as_of=2026-05-31&known_at=2026-05-31&from=3",
         ["replay", "P-1", "--as-of", "2026-05-31", "--known-at", "2026-05-31", "--from", "3"]),
        ("/v1/deals/d-press/gate?stage=P5&as_of=2026-03-02&known_at=2026-03-19",
         ["gate", "P-1", "--stage", "P5", "--as-of", "2026-03-02", "--known-at", "2026-03-19"]),
        ("/v1/deals/d-press/map?as_of=2026-05-31&known_at=2026-05-31",
         ["map", "P-1", "--as-of", "2026-05-31", "--known-at", "2026-05-31"]),
        ("/v1/deals/d-press/negotiation?as_of=2026-05-31&known_at=2026-05-31",
         ["negotiation", "P-1", "--as-of", "2026-05-31", "--known-at", "2026-05-31"]),
        ("/v1/deals/d-press/audit", ["audit", "trail", "P-1"]),
        ("/v1/audit?actor=u-mei", ["audit", "trail", "--actor", "u-mei"]),
        ("/v1/audit?since=2026-06-01&until=2026-06-01&limit=3",
         ["audit", "trail", "--since", "2026-06-01", "--until", "2026-06-01", "--limit", "3"]),
        ("/v1/pipeline?as_of=2026-03-31&known_at=2026-03-31&group_by=owner,region&currency=USD",
         ["pipeline", "--as-of", "2026-03-31", "--known-at", "2026-03-31", "--by", "owner,region",
          "--where", "currency=USD"]),
        ("/v1/processes", ["process", "list"]),
        ("/v1/processes/key-account/1", ["process", "show", "key-account"]),
    ],
)  # fmt: skip
def test_http_answers_as_the_command_line_does(
    client: TestClient, small_store: str, url: str, args: list[str]
) -> None:
    printed = run_command("--db", small_store, *args, "--format", "json").stdout
    assert client.get(url).json() == msgspec.json.decode(printed)


def test_deals(client: TestClient) -> None:
    page = read(client, "/v1/deals", DealPage)
    assert [d.reference for d in page.deals] == ["M-2", "S-1", "E-1", "R-1", "M-1", "P-1"]
    assert page.cursor is None


def test_the_gate_of_a_deal(client: TestClient) -> None:
    answer = read(client, "/v1/deals/d-press/gate?as_of=2026-01-31", DealGate)
    assert (answer.gate.stage, answer.gate.met, answer.gate.total) == ("P0", 2, 3)
    assert answer.as_of == "2026-01-31T23:59:59.999999Z"


def test_pages_are_linked(client: TestClient) -> None:
    found: list[str] = []
    url: str | None = "/v1/deals?limit=2&sort=name"
    while url is not None:
        response = client.get(url)
        found += [deal["reference"] for deal in response.json()["deals"]]
        link = re.fullmatch(r'<(.+)>; rel="next"', response.headers.get("link", ""))
        assert (link is None) == (response.json()["cursor"] is None)
        url = link[1] if link else None
    assert found == ["E-1", "M-2", "M-1", "P-1", "S-1", "R-1"]


def test_pages_of_the_trail_are_linked_with_their_filters(client: TestClient) -> None:
    response = client.get("/v1/audit?limit=2&actor=梅芳")
    assert "actor=%E6%A2%85%E8%8A%B3" in response.headers["link"]
    follow = client.get(response.headers["link"].partition(">")[0].lstrip("<"))
    assert [entry["position"] for entry in follow.json()["entries"]] == [13]
    assert "link" not in follow.headers


def test_a_deal_at_any_moment(client: TestClient) -> None:
    detail = read(client, "/v1/deals/d-press?as_of=2026-03-02&known_at=2026-03-19", DealDetail)
    assert detail.deal.amount is not None
    assert detail.deal.amount.amount == "1000.00"
    assert detail.known_at == "2026-03-19T23:59:59.999999Z"
    offset = quote("2026-03-01T10:59+02:00")
    assert read(client, f"/v1/deals/d-press?as_of={offset}", DealDetail).deal.amount != (
        read(client, "/v1/deals/d-press?as_of=2026-03-01", DealDetail).deal.amount
    )


def test_replay(client: TestClient) -> None:
    answer = read(client, "/v1/deals/d-press/replay?from=8", Replay)
    assert [move.number for move in answer.moves] == [8, 9]


def test_trails(client: TestClient) -> None:
    assert len(read(client, "/v1/deals/d-press/audit", AuditTrail).entries) == 10
    assert len(read(client, "/v1/audit", AuditTrail).entries) == EVENTS
    later = read(client, "/v1/audit?since=2026-06-02", AuditTrail)
    assert later.entries == []


def test_pipeline(client: TestClient) -> None:
    answer = read(client, "/v1/pipeline?group_by=stage&stage=P1", Pipeline)
    assert {row.currency: (row.suspended, row.lost) for row in answer.rows} == {
        "EUR": (0, 0),
        "USD": (1, 1),
    }
    assert read(client, "/v1/pipeline?group_by=", Pipeline).group_by == []


def test_processes(client: TestClient) -> None:
    assert len(read(client, "/v1/processes", ProcessList).processes) == 3
    assert read(client, "/v1/processes/five-step/1", Process).id == "five-step"


def test_status_and_health(client: TestClient) -> None:
    read(client, "/v1/deals", DealPage)
    assert read(client, "/v1/status", StoreStatus).events == EVENTS
    assert read(client, "/livez", Alive).status == "alive"
    assert read(client, "/readyz", Ready).status == "ready"


def test_many_readers_at_once_read_the_same(own_store: str) -> None:
    """The first of them finds read models that have yet to be built."""
    for views in Path(own_store.removeprefix("sqlite:///")).parent.glob("*.views.db*"):
        views.unlink()
    app = app_of(Settings(db=own_store, timezone="UTC"))
    urls = ["/v1/deals", "/v1/pipeline?as_of=2026-03-31", "/v1/audit", "/v1/deals/d-press"] * 10
    with (
        TestClient(app, base_url="http://127.0.0.1") as client,
        ThreadPoolExecutor(max_workers=8) as readers,
    ):
        answers = list(readers.map(client.get, urls))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers[::4]}) == 1
    assert len({answer.content for answer in answers[2::4]}) == 1


# Reading what was written.


def recorded(url: str, *deal_ids: str) -> None:
    """Deals of three events each."""
    with DealLog.open(Location.parse(url)) as log:
        log.append([Batch(f"deal:{deal_id}", 0, DEALS["d-rest"]) for deal_id in deal_ids])


@pytest.mark.parametrize("worker", [True, False])
def test_what_was_recorded_before_is_in_the_answer(own_store: str, worker: bool) -> None:
    app = app_of(Settings(db=own_store, worker=worker))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for number in range(5):
            recorded(own_store, f"d-{number}")
            found = {deal["id"] for deal in client.get("/v1/deals").json()["deals"]}
            assert f"d-{number}" in found


def test_a_server_reads_on_without_being_asked(own_store: str) -> None:
    app = app_of(Settings(db=own_store))
    with (
        TestClient(app, base_url="http://127.0.0.1") as client,
        Workspace.open(Location.parse(own_store)) as store,
    ):
        recorded(own_store, "d-new")
        give_up = time.monotonic() + 20
        while read_models_status(store).lag_events(store.log.head()):
            assert time.monotonic() < give_up
            time.sleep(0.01)
        assert client.get("/v1/status").json()["models"][0]["lag_seconds"] == 0


READ_MODELS = ["/v1/deals", "/v1/pipeline", "/v1/audit"]
READING = [*READ_MODELS, "/v1/deals/d-press", "/v1/deals/d-press/replay", "/v1/processes"]


@pytest.mark.parametrize("url", READING)
def test_an_answer_waits_for_an_event(client: TestClient, url: str) -> None:
    for event in ("deal:d-press@3", "deal:d%2Dpress@3", "user:u-anna@1"):
        assert client.get(url, headers={"Dealstate-Wait-For": event}).status_code == 200


@pytest.mark.parametrize("url", READING)
@pytest.mark.parametrize("event", ["", "d-press@3", "deal:d-press", "deal:d-press@0"])
def test_what_names_no_event_is_told(client: TestClient, url: str, event: str) -> None:
    response = client.get(url, headers={"Dealstate-Wait-For": event})
    assert (response.status_code, response.json()["code"]) == (400, "invalid-header")
    assert "Dealstate-Wait-For" in response.json()["detail"]
    assert "not of the form stream@version" in response.json()["detail"]


@pytest.fixture
def unwaiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for."""

    def wait(*_: object) -> None:
        raise AssertionError("it waits")

    monkeypatch.setattr("api.routes.common._wait", wait)


@pytest.mark.usefixtures("unwaiting")
@pytest.mark.parametrize(
    ("url", "parameter"),
    [
        ("/v1/deals?limit=0", "limit"),
        ("/v1/deals?sort=colour", "sort"),
        ("/v1/deals?nonsense=1", "nonsense"),
        ("/v1/pipeline?group_by=colour", "group_by"),
        ("/v1/pipeline?as_of=yesterdayish", "as_of"),
        ("/v1/audit?since=nonsense", "since"),
        ("/v1/deals/d-press?as_of=nonsense", "as_of"),
        ("/v1/deals/d-press/gate?known_at=nonsense", "known_at"),
        ("/v1/deals/d-press/map?as_of=nonsense", "as_of"),
        ("/v1/deals/d-press/negotiation?as_of=nonsense", "as_of"),
        ("/v1/deals/d-press/replay?from=0", "from"),
        ("/v1/deals/d-press/audit?until=nonsense", "until"),
    ],
)
def test_parameters_are_checked_before_an_event_is_waited_for(
    client: TestClient, url: str, parameter: str
) -> None:
    response = client.get(url, headers={"Dealstate-Wait-For": "deal:d-press@999"})
    assert (response.status_code, response.json()["code"]) == (422, "invalid-parameter")
    assert [error["parameter"] for error in response.json()["errors"]] == [parameter]


@pytest.mark.usefixtures("unwaiting")
def test_a_cursor_is_checked_before_an_event_is_waited_for(client: TestClient) -> None:
    url, event = "/v1/deals?cursor=nonsense", {"Dealstate-Wait-For": "deal:d-press@999"}
    assert client.get(url, headers=event).json()["code"] == "invalid-parameter"


def test_an_event_that_comes_later_is_in_the_answer(own_store: str) -> None:
    app = app_of(Settings(db=own_store))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        writer = Timer(0.3, recorded, [own_store, "d-new"])
        writer.start()
        response = client.get("/v1/deals", headers={"Dealstate-Wait-For": "deal:d-new@3"})
        writer.join()
    assert "d-new" in {deal["id"] for deal in response.json()["deals"]}


def test_an_event_that_does_not_come_is_told(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.common.WAIT_SECONDS", 0.1)
    response = client.get("/v1/deals", headers={"Dealstate-Wait-For": "deal:d-press@999"})
    assert (response.status_code, response.json()["code"]) == (504, "event-not-recorded")
    assert "deal:d-press@999" in response.json()["detail"]


@pytest.mark.parametrize("url", READ_MODELS)
def test_an_answer_says_up_to_which_event_it_is(own_store: str, url: str) -> None:
    app = app_of(Settings(db=own_store, worker=False))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get(url).headers["dealstate-position"] == str(EVENTS)
        recorded(own_store, "d-new")
        assert client.get(url).headers["dealstate-position"] == str(EVENTS + 3)


# What goes wrong.


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("/", 404, "not-found"),
        ("/v1", 404, "not-found"),
        ("/v1/deals/", 404, "not-found"),
        ("/v1/deals/nope", 404, "deal-not-found"),
        ("/v1/deals/P-1", 404, "deal-not-found"),
        ("/v1/deals/nope/replay", 404, "deal-not-found"),
        ("/v1/deals/nope/gate", 404, "deal-not-found"),
        ("/v1/deals/d-press/gate?as_of=2026-01-01", 404, "nothing-then"),
        ("/v1/deals/nope/audit", 404, "deal-not-found"),
        ("/v1/deals/d-press/nope", 404, "not-found"),
        ("/v1/deals/%00", 404, "deal-not-found"),
        ("/v1/deals/%ff", 404, "deal-not-found"),
        ("/v1/deals/..%2f..%2fetc%2fpasswd", 404, "not-found"),
        ("/v1/deals/d-press?as_of=2026-01-01", 404, "nothing-then"),
        ("/v1/deals/d-press/replay?known_at=2026-01-01", 404, "nothing-then"),
        ("/v1/processes/nope/1", 404, "unknown-process"),
        ("/v1/processes/key-account/9", 404, "unknown-process"),
        ("/v1/deals?owner=Sam%20Roe", 422, "ambiguous-user"),
        ("/v1/audit?actor=Sam%20Roe", 422, "ambiguous-user"),
        ("/v1/deals?cursor=nonsense", 422, "invalid-parameter"),
    ],
)
def test_problems(client: TestClient, url: str, status: int, code: str) -> None:
    assert problem(client, url, status).code == code


@pytest.mark.parametrize(
    ("url", "parameter"),
    [
        ("/v1/deals?limit=0", "limit"),
        ("/v1/deals?limit=501", "limit"),
        ("/v1/deals?limit=many", "limit"),
        ("/v1/deals?status=asleep", "status"),
        ("/v1/deals?sort=colour", "sort"),
        ("/v1/deals?colour=red", "colour"),
        (f"/v1/deals?search={'x' * 201}", "search"),
        ("/v1/deals/d-press?as_of=2026-02-30", "as_of"),
        ("/v1/deals/d-press?known_at=", "known_at"),
        ("/v1/deals/d-press?by=stage", "by"),
        (f"/v1/deals/{'x' * 201}", "deal_id"),
        ("/v1/deals/d-press/gate?stage=P9", "stage"),
        (f"/v1/deals/d-press/gate?stage={'x' * 201}", "stage"),
        ("/v1/deals/d-press/replay?from=0", "from"),
        ("/v1/audit?since=once", "since"),
        ("/v1/audit?until=once", "until"),
        ("/v1/audit?cursor=-1", "cursor"),
        ("/v1/pipeline?group_by=colour", "group_by"),
        ("/v1/pipeline?as_of=soon", "as_of"),
        ("/v1/processes/key-account/one", "version"),
        ("/v1/processes/key-account/0", "version"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(client: TestClient, url: str, parameter: str) -> None:
    found = problem(client, url, 422)
    assert found.code == "invalid-parameter"
    assert [error.parameter for error in found.errors] == [parameter]


def test_a_plus_that_the_url_lost_is_explained(client: TestClient) -> None:
    found = problem(client, "/v1/pipeline?as_of=2026-01-01T10:00+02:00", 422)
    assert "%2B" in found.detail


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_taken(client: TestClient, method: str) -> None:
    assert problem(client, "/v1/pipeline", 405, method).code == "method-not-allowed"
    assert client.request(method, "/v1/pipeline").headers["allow"] == "HEAD, GET"


def test_every_path_tells_all_methods_that_it_takes(client: TestClient) -> None:
    """As the description has them, also where several routes share the path."""
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        taken = {method.upper() for method in methods}
        taken |= {"HEAD"} if "GET" in taken else set()
        address = re.sub(r"\{[^}]*\}", "x", path)
        for method in ("OPTIONS", "TRACE"):
            answer = client.request(method, address)
            assert answer.status_code == 405, path
            # An address may be one of several descriptions, as /v1/deals/{id}/{command} is.
            told = set(answer.headers["allow"].split(", "))
            assert told >= taken, path
            assert all(client.request(one, address).status_code != 405 for one in told - taken)
    allowed = client.options("/v1/deals").headers["allow"]
    assert set(allowed.split(", ")) == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "", "localhost:x"]
)
def test_other_names_are_not_answered_to(client: TestClient, host: str) -> None:
    response = client.get("/v1/deals", headers={"host": host})
    assert response.status_code == 421
    assert response.json()["code"] == "wrong-host"
    assert "P-1" not in response.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]", "[::1]:8000"])
def test_the_names_of_this_machine_are(client: TestClient, host: str) -> None:
    assert client.get("/livez", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("url", ["/v1/deals", "/nope", "/docs", "/openapi.json"])
def test_headers_for_browsers(client: TestClient, url: str) -> None:
    headers = client.get(url).headers
    told = {name: headers[name] for name in HEADERS}
    if url in {"/docs", "/openapi.json"}:
        # It is the same for everybody.
        assert told.pop("Cache-Control") == "public, max-age=300"
    assert told.items() <= HEADERS.items()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("the secret path /srv/x.db"), 500, "internal-error"),
        (StoreBusy("/srv/x.db is locked", "Wait."), 503, "store-busy"),
        (StoreFull("/srv/x.db is full", "Free some."), 507, "store-full"),
        (StoreError("/srv/x.db is damaged", "Restore."), 503, "store-unusable"),
    ],
)
def test_faults_are_problems_without_internals(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    code: str,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("api.routes.deals.list_deals", fail)
    found = problem(client, "/v1/deals", status)
    assert found.code == code
    assert "/srv" not in client.get("/v1/deals").text
    assert ("retry-after" in client.get("/v1/deals").headers) == (status == 503)


def test_a_service_without_a_store_does_not_start(tmp_path: Path) -> None:
    app = app_of(Settings(db=f"sqlite:///{tmp_path / 'nowhere.db'}"))
    with pytest.raises(StoreError, match="there is no log"), TestClient(app):
        pass


def test_settings_come_from_the_environment(
    small_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEALSTATE_DB", small_store)
    monkeypatch.setenv("DEALSTATE_TIMEZONE", "Mars")
    settings = Settings()
    assert settings.db == small_store
    with pytest.raises(TimeError):
        app_of(settings)
