"""The log of a server: what a line tells, and that no line tells of people."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.operation.levels import LogFormat, LogLevel
from api.operation.logs import configure
from api.settings import Settings
from domain.access import Principal, Role
from domain.lifecycle.commands import AddNote, OpenOpportunity
from store.log import DealLog
from tests.api.serving import app_of, serving
from tests.contract.asking import intent

PERSONAL = ("Wilhelmina", "w.tell@example.org", "+41791234567", "secret-token-1")
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def restored() -> Iterator[None]:
    """The loggers of the process are as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    # The client of the tests logs what it asks for; it is in no server.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    yield
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture
def log(restored: None) -> io.StringIO:
    """What is logged from here on, as JSON."""
    stream = io.StringIO()
    configure(LogFormat.JSON, LogLevel.INFO, stream)
    return stream


@pytest.fixture
def client(own_store: str) -> Iterator[TestClient]:
    with serving(own_store) as client:
        yield client


def requests_in(log: io.StringIO) -> list[dict[str, object]]:
    """The lines about requests."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == "request"]


def test_a_request_is_one_line(client: TestClient, log: io.StringIO) -> None:
    answer = client.get("/v1/deals/d-press", headers={"traceparent": f"00-{TRACE}-{'1' * 16}-00"})
    client.get("/v1/deals/nobody")
    good, missing = requests_in(log)
    assert good.pop("time")
    assert isinstance(good.pop("duration_ms"), float)
    assert isinstance(good.pop("process"), int)
    assert good == {
        "event": "request",
        "level": "info",
        "logger": "dealstate.request",
        "method": "GET",
        "route": "/v1/deals/{deal_id}",
        "status": 200,
        "request_id": answer.headers["x-request-id"],
        "trace_id": TRACE,
    }
    assert (missing["status"], missing["code"]) == (404, "deal-not-found")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("6f1c2a0e-9d53-4c2b-8f0a-5c1e7d3b2a19", True),
        ("DEADBEEF", True),
        ("wilhelmina", False),
        ("dead", False),
        ("a" * 65, False),
        ("deadbeef\tdeadbeef", False),
        ("", False),
    ],
)
def test_an_id_of_the_client_is_kept_where_it_can_be_nothing_else(
    client: TestClient, log: io.StringIO, given: str, *, kept: bool
) -> None:
    told = client.get("/livez", headers={"X-Request-Id": given}).headers["x-request-id"]
    assert (told == given) is kept
    assert requests_in(log)[-1]["request_id"] == told


@pytest.mark.parametrize(
    "given",
    ["", "00-", f"00-{'0' * 32}-{'1' * 16}-00", f"ff-{TRACE}-{'1' * 16}-00", f"00-{TRACE}-1-00"],
)
def test_a_trace_that_cannot_be_read_is_none(
    client: TestClient, log: io.StringIO, given: str
) -> None:
    client.get("/livez", headers={"traceparent": given})
    assert "trace_id" not in requests_in(log)[-1]


def test_the_user_is_told_where_the_settings_say_so(own_store: str, log: io.StringIO) -> None:
    who = Principal("u-anna", frozenset({Role.SELLER}))
    for told in (False, True):
        app = app_of(Settings(db=own_store, worker=False, log_users=told), who)
        with TestClient(app, base_url="http://127.0.0.1:8000") as client:
            client.get("/v1/deals")
        assert ("u-anna" in log.getvalue()) is told


def everything_personal(client: TestClient) -> None:
    """Requests of every kind that bear personal data wherever a client can put any."""
    name, mail, phone, token = PERSONAL
    headers = {
        "Authorization": f"Bearer {token}",
        "X-Request-Id": name,
        "User-Agent": mail,
        "Referer": f"https://example.org/{name}",
        "Cookie": f"dealstate={token}",
        "Idempotency-Key": phone,
        "Dealstate-Wait-For": f"deal:{name}@x",
        "tracestate": f"a={name}",
    }
    for url in ("/v1/deals", f"/v1/deals/{name}", f"/{mail}", f"/v1/deals/{name}/replay", "/v1"):
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD", name.upper()):
            client.request(method, f"{url}?account={mail}&as_of={name}", headers=headers)
            client.request(method, url, headers=headers, json={"name": name, mail: [phone]})
            client.request(method, url, headers=headers, content=f'{{"{name}": {mail}')
    log: DealLog = client.app.state.store.log  # type: ignore[attr-defined]
    opened = OpenOpportunity(name, owner="u-anna", currency="USD")
    log.handle(name, opened, intent(phone))
    log.handle(name, AddNote(f"{mail} {phone}"), intent("c-2"))
    client.get(f"/v1/deals/{name}")


@pytest.mark.parametrize("shape", LogFormat)
def test_nothing_that_people_wrote_is_in_it(
    own_store: str, shape: LogFormat, restored: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    configure(shape, LogLevel.INFO, stream)

    def failing() -> None:
        try:
            raise KeyError(PERSONAL[0])
        except KeyError as error:
            raise ValueError(f"no {PERSONAL[1]}") from error

    with serving(own_store) as client:
        everything_personal(client)
        monkeypatch.setattr(client.app.state.store.log, "processes", failing)  # type: ignore[attr-defined]
        assert client.get("/v1/processes").status_code == 500
    told = stream.getvalue()
    assert told.count("dealstate.request") > 50
    assert "builtins.ValueError" in told
    assert "builtins.KeyError" in told
    for text in PERSONAL:
        assert text.lower() not in told.lower()


def test_only_the_level_debug_tells_the_words_of_an_unforeseen_error(restored: None) -> None:
    for level in LogLevel:
        stream = io.StringIO()
        configure(LogFormat.JSON, level, stream)
        try:
            raise KeyError(PERSONAL[0])
        except KeyError:
            logging.getLogger("dealstate.http").exception("a request failed")
        line = json.loads(stream.getvalue())
        assert (PERSONAL[0] in line["fault"]) is (level is LogLevel.DEBUG)
        assert "KeyError" in line["fault"]
        assert __name__ in line["fault"] or level is LogLevel.DEBUG


def test_what_is_logged_for_a_request_bears_its_id(
    client: TestClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> None:
        # In a thread of the pool.
        logging.getLogger("dealstate.store").warning("something")
        raise KeyError

    monkeypatch.setattr(client.app.state.store.log, "processes", told)  # type: ignore[attr-defined]
    answer = client.get("/v1/processes")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert len(lines) == 3
    assert {line["request_id"] for line in lines} == {answer.headers["x-request-id"]}


def test_the_server_under_it_logs_here_too(log: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert json.loads(log.getvalue())["logger"] == "uvicorn.error"
