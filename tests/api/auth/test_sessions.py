"""Sessions of browsers: how they begin and end, and what a cookie is good for."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.auth.attempts import ATTEMPTS
from api.auth.keys import NewKey, make_key
from api.auth.refused import NotAuthenticated
from api.auth.sessions import Sessions, cookie_in, set_cookie
from api.settings import Settings
from api.wire.sessions import WhoAsks
from domain.access import Action, Role
from domain.directory import ApiKeyIssued, MembershipGranted, UserRegistered
from domain.history import Draft, Fact, StreamKind
from domain.organisation import (
    AnyOrganisationCommand,
    EndMembership,
    GrantMembership,
    IssueApiKey,
    RevokeApiKey,
)
from domain.sessions import SessionEnded, SessionOpened
from store.events.writing import Batch
from store.keys.ring import KeyRing
from store.location import Location
from store.log import DealLog
from tests.api.auth.issuer import AUDIENCE, serving_keys, signed
from tests.api.serving import app_of
from tests.conftest import NewLocation
from tests.contract.asking import intent

COOKIE = "dealstate"
AUDITS = GrantMembership("u-anna", Role.AUDITOR)


def configure(url: str, *commands: AnyOrganisationCommand) -> None:
    """As another process does."""
    with DealLog.open(Location.parse(url)) as log:
        for command in commands:
            log.configure(command, intent(str(uuid4())))


@pytest.fixture(scope="module")
def own_store(small_store: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of a store that all tests here share: each has a key of its own."""
    log = Path(small_store.removeprefix("sqlite:///"))
    folder = shutil.copytree(log.parent, tmp_path_factory.mktemp("sessions") / "store")
    return f"sqlite:///{folder / log.name}"


@pytest.fixture
def key(own_store: str) -> NewKey:
    made = make_key()
    configure(own_store, AUDITS, IssueApiKey("u-anna", made.id, made.digest, "test"))
    return made


@contextmanager
def serving(url: str) -> Iterator[TestClient]:
    """The service. Its clients keep no cookies: each request says what it sends."""
    app = create_app(Settings(db=url, worker=False, allowed_hosts=("deals.example",)))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def service(own_store: str) -> Iterator[TestClient]:
    with serving(own_store) as client:
        yield client


@pytest.fixture
def client(service: TestClient, key: NewKey) -> TestClient:
    assert key.id
    return service


def ask(
    client: TestClient,
    method: str = "GET",
    cookie: str = "",
    path: str = "/v1/session",
    **more: str,
) -> Any:
    client.cookies.clear()
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    if cookie:
        headers["Cookie"] = f"{COOKIE}={cookie}"
    return client.request(method, path, headers=headers)


def opened(client: TestClient, token: str, **more: str) -> tuple[str, WhoAsks]:
    """The cookie that is handed out, and who the server says asks."""
    answer = ask(client, "POST", Authorization=f"Bearer {token}", **more)
    assert answer.status_code == 201, answer.text
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    return morsel.value, msgspec.json.decode(answer.content, type=WhoAsks)


def facts_of_sessions(url: str, key: str | None) -> list[Fact]:
    """What is recorded of the sessions that were opened with a key, or with a token."""
    found: list[Fact] = []
    with DealLog.open(Location.parse(url)) as log:
        for stream in log.streams(StreamKind.SESSION):
            facts = [event.fact for event in log.events_in(stream)]
            opened = facts[0]
            assert isinstance(opened, SessionOpened)
            if opened.key == key:
                found += facts
    return found


# What a session is.


def test_a_key_is_exchanged_for_a_cookie_that_no_script_and_no_other_site_has(
    client: TestClient, own_store: str, key: NewKey
) -> None:
    before = datetime.now(UTC)
    answer = ask(client, "POST", Authorization=f"Bearer {key.token}")
    attributes = answer.headers["set-cookie"].split("; ")
    assert attributes[0].startswith(f"{COOKIE}=")
    assert attributes[1:] == ["Path=/", "Max-Age=28800", "HttpOnly", "SameSite=Lax"]
    assert key.token not in answer.headers["set-cookie"]
    assert answer.headers["cache-control"] == "no-store"
    told = msgspec.json.decode(answer.content, type=WhoAsks)
    assert (told.user.id, told.user.name, told.limited_to) == ("u-anna", "Anna Lee", None)
    assert [role.role for role in told.roles] == [Role.AUDITOR]
    assert told.until is not None
    lasts = datetime.fromisoformat(told.until) - before
    assert timedelta(hours=8) - timedelta(seconds=5) < lasts < timedelta(hours=8, seconds=5)
    assert facts_of_sessions(own_store, key.id) == [SessionOpened("u-anna", 28_800, key.id)]


def test_the_cookie_lets_in_and_tells_who(client: TestClient, key: NewKey) -> None:
    cookie, told = opened(client, key.token)
    answer = ask(client, cookie=cookie)
    assert answer.status_code == 200
    assert msgspec.json.decode(answer.content, type=WhoAsks) == told
    assert ask(client, cookie=cookie, path="/v1/audit").status_code == 200
    by_key = msgspec.json.decode(
        ask(client, Authorization=f"Bearer {key.token}").content, type=WhoAsks
    )
    assert by_key == msgspec.structs.replace(told, until=None, csrf_token=None)


def test_each_exchange_gives_another_session_and_ends_the_one_before(
    client: TestClient, own_store: str, key: NewKey
) -> None:
    first, told = opened(client, key.token)
    second, again = opened(client, key.token, Cookie=f"{COOKIE}={first}")
    assert first != second
    assert told.csrf_token != again.csrf_token
    assert ask(client, cookie=first).status_code == 401
    assert ask(client, cookie=second).status_code == 200
    kinds = [type(fact) for fact in facts_of_sessions(own_store, key.id)]
    assert kinds == [SessionOpened, SessionEnded, SessionOpened]


def test_a_cookie_that_somebody_else_has_set_is_never_taken_over(
    client: TestClient, key: NewKey
) -> None:
    planted = f"{'0' * 32}.{'0' * 64}"
    cookie, _ = opened(client, key.token, Cookie=f"{COOKIE}={planted}")
    assert cookie.partition(".")[0] != "0" * 32
    assert ask(client, cookie=planted).status_code == 401


def test_a_session_is_not_exchanged_for_a_session(client: TestClient, key: NewKey) -> None:
    cookie, told = opened(client, key.token)
    assert told.csrf_token is not None
    answer = ask(client, "POST", cookie, X_CSRF_Token=told.csrf_token)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert "set-cookie" not in answer.headers


# What a cookie is not.


FORGED: dict[str, Callable[[str], str]] = {
    "another-hash": lambda cookie: cookie[:-1] + ("1" if cookie[-1] == "0" else "0"),
    "another-id": lambda cookie: ("1" if cookie[0] == "0" else "0") + cookie[1:],
    "capitals": lambda cookie: cookie.upper(),
    "no-hash": lambda cookie: cookie.partition(".")[0],
    "empty-hash": lambda cookie: cookie.partition(".")[0] + ".",
    "more": lambda cookie: f"{cookie}0",
    "long": lambda _: "a" * 10_000,
    "unsigned-token": lambda _: "eyJhbGciOiJub25lIn0.YQ.",
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_a_forged_cookie_lets_nobody_in(
    client: TestClient, key: NewKey, change: Callable[[str], str]
) -> None:
    cookie, _ = opened(client, key.token)
    forged = change(cookie)
    assert forged != cookie
    answer = ask(client, cookie=forged)
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="dealstate"'


def test_what_was_hashed_for_something_else_signs_nothing(client: TestClient, key: NewKey) -> None:
    cookie, told = opened(client, key.token)
    assert ask(client, cookie=f"{cookie.partition('.')[0]}.{told.csrf_token}").status_code == 401


def test_a_cookie_of_another_store_lets_nobody_in(
    client: TestClient, key: NewKey, new_store: str, own_store: str
) -> None:
    cookie, _ = opened(client, key.token)
    issued = ApiKeyIssued("u-anna", key.id, key.digest, "test")
    configure(new_store, IssueApiKey(issued.user, issued.key, issued.digest, issued.name))
    session = f"session:{cookie.partition('.')[0]}"
    with DealLog.open(Location.parse(own_store)) as log:
        (event,) = log.events_in(session)
    draft = Draft(event.fact, event.occurred_at, event.actor, "http", "c", "c")
    with DealLog.open(Location.parse(new_store)) as log:
        log.append([Batch(session, 0, [draft])])
    with serving(new_store) as other:
        # The session is in its log, and the key is good there; but it was signed elsewhere.
        assert ask(other, Authorization=f"Bearer {key.token}").status_code == 200
        assert ask(other, cookie=cookie).status_code == 401


@pytest.fixture
def new_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Another store, where Anna is known too."""
    location = Location.beside(tmp_path_factory.mktemp("other") / "deals.db")
    with DealLog.create(location) as log:
        facts: list[Fact] = [
            UserRegistered("u-anna", "Anna"),
            MembershipGranted("u-anna", Role.AUDITOR),
        ]
        at = datetime(2026, 1, 1, tzinfo=UTC)
        drafts = [Draft(fact, at, "op", "cli", "c", "c") for fact in facts]
        log.append([Batch("user:u-anna", 0, drafts)])
    return str(location)


def test_old_cookies_are_no_attempts_to_break_in(client: TestClient, key: NewKey) -> None:
    for _ in range(ATTEMPTS + 1):
        assert ask(client, cookie=f"{'0' * 32}.{'0' * 64}").status_code == 401
    assert ask(client, Authorization=f"Bearer {key.token}").status_code == 200


# How it ends.


def test_who_ends_it_ends_it_in_every_server(
    client: TestClient, own_store: str, key: NewKey
) -> None:
    cookie, told = opened(client, key.token)
    assert told.csrf_token is not None
    with serving(own_store) as other:
        assert ask(other, cookie=cookie).status_code == 200
        answer = ask(client, "DELETE", cookie, X_CSRF_Token=told.csrf_token)
        assert (answer.status_code, answer.content) == (204, b"")
        gone = f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        assert answer.headers["set-cookie"] == gone
        for one in (client, other):
            assert ask(one, cookie=cookie).status_code == 401
            again = ask(one, "DELETE", cookie, X_CSRF_Token=told.csrf_token)
            assert again.status_code == 401
    assert facts_of_sessions(own_store, key.id)[1:] == [SessionEnded("u-anna")]


def test_who_has_no_session_has_none_to_end(client: TestClient, key: NewKey) -> None:
    answer = ask(client, "DELETE", Authorization=f"Bearer {key.token}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-session")


def test_a_revoked_key_ends_its_sessions_at_once(
    client: TestClient, own_store: str, key: NewKey
) -> None:
    other = make_key()
    configure(own_store, IssueApiKey("u-anna", other.id, other.digest, "other"))
    cookie, _ = opened(client, key.token)
    kept, _ = opened(client, other.token)
    configure(own_store, RevokeApiKey("u-anna", key.id))
    assert ask(client, cookie=cookie).status_code == 401
    assert ask(client, cookie=kept).status_code == 200


def test_whoever_holds_no_role_gets_no_session_and_records_nothing(
    client: TestClient, own_store: str
) -> None:
    made = make_key()
    configure(own_store, IssueApiKey("u-ben", made.id, made.digest, "ben's"))
    answer = ask(client, "POST", Authorization=f"Bearer {made.token}")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert "set-cookie" not in answer.headers
    assert facts_of_sessions(own_store, made.id) == []


def test_rights_are_those_of_the_moment(client: TestClient, own_store: str, key: NewKey) -> None:
    cookie, _ = opened(client, key.token)
    assert ask(client, cookie=cookie, path="/v1/audit").status_code == 200
    configure(own_store, EndMembership("u-anna", Role.AUDITOR))
    assert ask(client, cookie=cookie, path="/v1/audit").status_code == 403
    told = msgspec.json.decode(ask(client, cookie=cookie).content, type=WhoAsks)
    assert told.roles == []


def test_a_session_is_limited_as_its_key_is(client: TestClient, own_store: str) -> None:
    made = make_key()
    only = IssueApiKey("u-anna", made.id, made.digest, "only", (Action.RECORD,))
    configure(own_store, only)
    cookie, told = opened(client, made.token)
    assert told.limited_to == [Action.RECORD]
    assert ask(client, cookie=cookie, path="/v1/audit").status_code == 403


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_it_is_over_in_time_and_with_the_last_day_of_its_key(new_location: NewLocation) -> None:
    clock = Clock()
    made = make_key()
    today = clock.now.date()
    with DealLog.create(new_location(), clock) as log:
        facts: list[Fact] = [
            UserRegistered("ann", "Ann"),
            ApiKeyIssued("ann", made.id, made.digest, "test", last_day=today),
        ]
        drafts = [Draft(fact, clock.now, "op", "cli", "c", "c") for fact in facts]
        log.append([Batch("user:ann", 0, drafts)])
        sessions = Sessions(log, clock, timedelta(hours=2), has_provider=True)
        _, by_key = sessions.open("ann", made.id)
        session, by_token = sessions.open("ann", None)
        for cookie in (by_key, by_token):
            assert sessions.of(cookie)[0].id == "ann"
        clock.now += timedelta(minutes=30)
        with pytest.raises(NotAuthenticated, match="API key"):
            sessions.of(by_key)
        clock.now = session.until - timedelta(microseconds=1)
        assert sessions.of(by_token)[1] == session
        clock.now = session.until
        with pytest.raises(NotAuthenticated, match="over"):
            sessions.of(by_token)


def test_a_session_with_the_key_of_somebody_else_lets_nobody_in(
    new_location: NewLocation,
) -> None:
    with DealLog.create(new_location()) as log:
        key = ApiKeyIssued("ann", "k-1", "0f" * 32, "test")
        log.append([Batch("user:ann", 0, [Draft(key, log.now(), "op", "cli", "c", "c")])])
        sessions = Sessions(log, log.now, timedelta(hours=1))
        assert sessions.of(sessions.open("ann", "k-1")[1])[0].id == "ann"
        _, cookie = sessions.open("ben", "k-1")
        with pytest.raises(NotAuthenticated, match="API key"):
            sessions.of(cookie)


def test_of_more_sessions_than_a_user_may_have_the_oldest_is_ended(
    new_location: NewLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.auth.sessions.OPEN_PER_USER", 2)
    clock = Clock()
    with DealLog.create(new_location(), clock) as log:
        sessions = Sessions(log, clock, timedelta(hours=1), has_provider=True)
        ended, _ = sessions.open("ann", None)
        sessions.end(ended)
        bens = sessions.open("ben", None)[1]
        anns = [sessions.open("ann", None)[1] for _ in range(3)]
        with pytest.raises(NotAuthenticated, match="ended"):
            sessions.of(anns[0])
        for cookie in (bens, *anns[1:]):
            assert sessions.of(cookie)
        # Those that are over need not be ended.
        clock.now += timedelta(hours=1)
        head = log.head()
        for _ in range(2):
            sessions.open("ann", None)
        assert log.head() == head + 2


def test_two_who_end_it_at_once_both_do(new_location: NewLocation) -> None:
    with DealLog.create(new_location()) as log:
        sessions = Sessions(log, log.now, timedelta(hours=1), has_provider=True)
        session, cookie = sessions.open("ann", None)
        sessions.end(session)
        sessions.end(session)
        with pytest.raises(NotAuthenticated, match="ended"):
            sessions.of(cookie)
        assert log.records.version(f"session:{session.id}") == 2


def test_all_processes_of_a_store_sign_alike(new_location: NewLocation) -> None:
    location = new_location()
    with DealLog.create(location) as first, DealLog.open(location) as second:
        hour = timedelta(hours=1)
        session, cookie = Sessions(first, first.now, hour, has_provider=True).open("ann", None)
        assert Sessions(second, second.now, hour, has_provider=True).of(cookie)[1] == session
        assert isinstance(second.keys, KeyRing)


# Tokens of an identity provider.


def test_a_token_is_exchanged_too_while_its_provider_is_trusted(own_store: str) -> None:
    configure(own_store, AUDITS)
    with serving_keys() as issuer:
        settings = Settings(
            db=own_store, worker=False, oidc_issuer=issuer.address, oidc_audience=AUDIENCE
        )
        claims = issuer.claims(datetime.now(UTC).timestamp(), sub="u-anna")
        with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
            cookie, told = opened(client, signed(claims))
            assert told.user.id == "u-anna"
            issuer.answers = False
            assert ask(client, cookie=cookie, path="/v1/audit").status_code == 200
    assert facts_of_sessions(own_store, None) == [SessionOpened("u-anna", 28_800)]
    with serving(own_store) as client:
        assert ask(client, cookie=cookie).status_code == 401


def test_whoever_is_known_by_something_else_gets_no_session(own_store: str) -> None:
    app = app_of(Settings(db=own_store, worker=False))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = ask(client, "POST", Authorization="Bearer x")
        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
        assert ask(client, cookie="x").status_code == 200


# Cookie and key together.


def test_a_key_counts_before_a_cookie(client: TestClient, own_store: str, key: NewKey) -> None:
    other = make_key()
    configure(own_store, IssueApiKey("u-ben", other.id, other.digest, "ben's"))
    cookie, _ = opened(client, key.token)
    told = ask(client, cookie=cookie, Authorization=f"Bearer {other.token}").json()
    assert (told["user"]["id"], told["csrf_token"]) == ("u-ben", None)
    bad = ask(client, cookie=cookie, Authorization=f"Bearer {make_key().token}")
    assert bad.status_code == 401
    # A proxy may ask for a password of its own.
    assert ask(client, cookie=cookie, Authorization="Basic YTpi").status_code == 200
    twice = ask(client, cookie=cookie, Authorization="Bearer a b")
    assert twice.status_code == 400


# Requests that other sites have a browser send.

UNSAFE = ("POST", "PUT", "PATCH", "DELETE", "QUERY")


@pytest.mark.parametrize("method", UNSAFE)
def test_what_may_change_something_needs_the_token_of_the_session(
    client: TestClient, key: NewKey, method: str
) -> None:
    cookie, told = opened(client, key.token)
    _, foreign = opened(client, key.token)
    assert told.csrf_token is not None
    assert foreign.csrf_token is not None
    path = "/v1/deals/d-1/whatif"
    for sent in ({}, {"X_CSRF_Token": ""}, {"X_CSRF_Token": foreign.csrf_token}):
        answer = ask(client, method, cookie, path, **sent)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf-failed"), sent
    # What is wrong with it is found out only behind that.
    let_in = ask(client, method, cookie, path, X_CSRF_Token=told.csrf_token)
    assert let_in.status_code != 403
    by_key = ask(client, method, "", path, Authorization=f"Bearer {key.token}")
    assert by_key.status_code == let_in.status_code


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"Sec_Fetch_Site": "same-origin", "Origin": "http://127.0.0.1"}, 204),
        ({"Sec_Fetch_Site": "none"}, 204),
        ({"Origin": "http://127.0.0.1"}, 204),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:8001"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[bad"}, 403),
    ],
)
def test_it_has_to_come_from_a_page_of_this_server(
    client: TestClient, key: NewKey, sent: dict[str, str], status: int
) -> None:
    cookie, told = opened(client, key.token)
    assert told.csrf_token is not None
    answer = ask(client, "DELETE", cookie, X_CSRF_Token=told.csrf_token, **sent)
    assert answer.status_code == status


def test_reading_needs_no_token(client: TestClient, key: NewKey) -> None:
    cookie, _ = opened(client, key.token)
    for method in ("GET", "HEAD"):
        answer = ask(client, method, cookie, "/v1/audit", Sec_Fetch_Site="cross-site")
        assert answer.status_code in {200, 405}


# The cookie.


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://127.0.0.1:8000", "dealstate"),
        ("http://localhost", "dealstate"),
        ("https://localhost", "__Host-dealstate"),
        ("https://deals.example", "__Host-dealstate"),
        ("http://deals.example", "__Host-dealstate"),
    ],
)
def test_beyond_this_machine_the_cookie_goes_over_tls_alone(
    service: TestClient, key: NewKey, address: str, name: str
) -> None:
    client = TestClient(service.app, base_url=address, raise_server_exceptions=False)
    answer = ask(client, "POST", Authorization=f"Bearer {key.token}")
    handed = answer.headers["set-cookie"]
    assert handed.startswith(f"{name}=")
    assert handed.endswith("; Secure") is name.startswith("__Host-")
    value = handed.partition(";")[0].partition("=")[2]
    others = {"dealstate", "__Host-dealstate"} - {name}
    assert ask(client, Cookie=f"{name}={value}").status_code == 200
    assert ask(client, Cookie=f"{others.pop()}={value}").status_code == 401


def test_the_cookie_is_found_among_others() -> None:
    assert cookie_in(["a=1; dealstate=x.y ;b=2"], secure=False) == "x.y"
    assert cookie_in(["a=1", "dealstate=x; dealstate=z"], secure=False) == "x"
    assert cookie_in(["__Host-dealstate=x"], secure=True) == "x"
    for none in ([], ["dealstate"], ["dealstate="], ["xdealstate=1"], ["Dealstate=1"]):
        assert cookie_in(none, secure=False) is None
    assert set_cookie("", 0, secure=True).startswith("__Host-dealstate=; Path=/; Max-Age=0; ")


def test_a_session_shows_no_secret_in_the_log(
    client: TestClient, own_store: str, key: NewKey
) -> None:
    cookie, told = opened(client, key.token)
    session_id, _, mac = cookie.partition(".")
    with DealLog.open(Location.parse(own_store)) as log:
        stored = b"".join(row[4] for row in log.records.feed(0, 10_000))
    assert session_id.encode() in stored
    assert told.csrf_token is not None
    for secret in (mac, told.csrf_token, key.token):
        assert secret.encode() not in stored
