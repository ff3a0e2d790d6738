"""Webhooks over HTTP: registered, shown, changed, rotated, tried, replayed."""

import socket
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from threading import Event, Semaphore
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.settings import Settings
from api.webhooks import signed, trials
from domain.access import Principal, Role
from store.outbox.rows import State
from tests.api.serving import app_of
from tests.api.webhooks.receiving import Receiver, raw_receiver
from tests.api.webhooks.selling import Selling, Steps

ADMIN = Principal("root", frozenset({Role.ADMIN}))
ANNA = Principal("anna", frozenset({Role.SELLER}))
BO = Principal("bo", frozenset({Role.SELLER}))


class Clients:
    """Clients of one service, by who asks."""

    def __init__(self, url: str) -> None:
        self._who: Principal = ADMIN
        app = app_of(Settings(db=url, worker=False, webhook_networks=("127.0.0.0/8",)))
        self._client = TestClient(app, base_url="http://127.0.0.1:8000")
        self._client.__enter__()
        app.state.authenticate = lambda *_: self._who

    def asked(
        self, who: Principal, method: str, path: str, body: Any = None, **headers: str
    ) -> Any:
        self._who = who
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        json = {} if body is None and method == "POST" else body
        return self._client.request(method, f"/v1/webhooks{path}", json=json, headers=named)

    def close(self) -> None:
        self._client.__exit__(None, None, None)


@pytest.fixture
def clients(selling: Selling) -> Iterator[Clients]:
    clients = Clients(str(selling.store.location))
    yield clients
    clients.close()


def registered(clients: Clients, url: str, **more: Any) -> dict[str, Any]:
    body = {"url": url, "owner": "anna", **more}
    response = clients.asked(ADMIN, "POST", "", body, Idempotency_Key="k-1")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def test_the_secret_is_told_once_and_again_to_who_repeats_the_request(
    clients: Clients, receiver: Receiver
) -> None:
    first = registered(clients, receiver.url)
    assert len(b64decode(first["secret"].removeprefix("whsec_"))) == 32
    body = {"url": receiver.url, "owner": "anna"}
    again = clients.asked(ADMIN, "POST", "", body, Idempotency_Key="k-1")
    assert again.json() == first
    assert again.headers["Idempotency-Replayed"] == "true"
    other = clients.asked(ADMIN, "POST", "", body | {"owner": "bo"}, Idempotency_Key="k-1")
    assert (other.status_code, other.json()["code"]) == (422, "command-id-reused")
    webhook = first["webhook"]
    for path in ("", f"/{webhook}", f"/{webhook}/deliveries"):
        response = clients.asked(ADMIN, "GET", path)
        assert response.status_code == 200
        assert first["secret"].removeprefix("whsec_") not in response.text


def test_nobody_else_gets_the_same_secret_under_the_same_key(
    clients: Clients, receiver: Receiver
) -> None:
    first = registered(clients, receiver.url)
    root2 = Principal("root-2", frozenset({Role.ADMIN}))
    body = {"url": receiver.url, "owner": "anna"}
    other = clients.asked(root2, "POST", "", body, Idempotency_Key="k-1").json()
    assert (other["webhook"], other["secret"]) != (first["webhook"], first["secret"])


def test_the_secret_is_in_no_file_of_the_store(
    clients: Clients, selling: Selling, receiver: Receiver
) -> None:
    secret = b64decode(registered(clients, receiver.url)["secret"].removeprefix("whsec_"))
    for path in selling.store.location.log.parent.iterdir():
        content = path.read_bytes()
        assert secret not in content
        assert receiver.url.encode() not in content


UNUSABLE: list[tuple[dict[str, Any], int, str]] = [
    ({"url": "https://127.0.0.2:1/", "owner": "anna", "typ": []}, 422, "invalid-parameter"),
    ({"url": "https://10.0.0.1/", "owner": "anna"}, 409, "invalid-webhook"),
    ({"url": "https://a:b@example.com/", "owner": "anna"}, 409, "invalid-webhook"),
    ({"url": "ftp://example.com/", "owner": "anna"}, 409, "invalid-webhook"),
    ({"url": "https://example.com/", "owner": "nobody"}, 409, "unknown-reference"),
    ({"url": "https://e.com/", "owner": "anna", "types": ["x"]}, 409, "unknown-reference"),
]


def test_what_cannot_be_registered(clients: Clients) -> None:
    for body, status, code in UNUSABLE:
        response = clients.asked(ADMIN, "POST", "", body)
        assert (response.status_code, response.json()["code"]) == (status, code), body
    assert clients.asked(ADMIN, "GET", "").json()["webhooks"] == []


def test_it_is_changed_at_the_version_that_was_seen(clients: Clients, receiver: Receiver) -> None:
    path = f"/{registered(clients, receiver.url, types=['note-added'])['webhook']}"
    shown = clients.asked(ADMIN, "GET", path)
    assert (shown.json()["version"], shown.json()["types"]) == (1, ["note-added"])
    seen = shown.headers["ETag"]
    wanted = {"url": receiver.url, "deals": ["d-1"]}
    assert clients.asked(ADMIN, "POST", f"{path}/change", wanted).status_code == 428
    changed = clients.asked(ADMIN, "POST", f"{path}/change", wanted, If_Match=seen)
    assert changed.headers["ETag"] == '"2"'
    assert clients.asked(ADMIN, "POST", f"{path}/change", wanted, If_Match=seen).status_code == 412
    after = clients.asked(ADMIN, "GET", path).json()
    assert (after["types"], after["deals"]) == ([], ["d-1"])


def test_a_rotated_secret_is_shown_with_its_end(clients: Clients, receiver: Receiver) -> None:
    first = registered(clients, receiver.url)
    path = f"/{first['webhook']}"
    rotated = clients.asked(ADMIN, "POST", f"{path}/rotate-secret", {"overlap_hours": 1})
    assert rotated.json()["secret"] != first["secret"]
    present, old = clients.asked(ADMIN, "GET", path).json()["secrets"]
    assert present["until"] is None
    assert old["until"] is not None


def test_its_owner_tries_disables_and_replays_it_and_does_not_redirect_it(
    clients: Clients, selling: Selling, receiver: Receiver
) -> None:
    path = f"/{registered(clients, receiver.url)['webhook']}"
    assert [one["id"] for one in clients.asked(ANNA, "GET", "").json()["webhooks"]] == [path[1:]]
    tried = clients.asked(ANNA, "POST", f"{path}/test").json()
    assert (tried["taken"], tried["status"]) == (True, 200)
    assert receiver.got[0].event["type"] == "dealstate.ping"
    assert receiver.got[0].headers["webhook-signature"].startswith("v1,")
    wanted = {"url": "https://evil.example.com/"}
    change = clients.asked(ANNA, "POST", f"{path}/change", wanted, If_Match='"1"')
    assert change.status_code == 403
    assert clients.asked(ANNA, "POST", f"{path}/enable").status_code == 403
    assert clients.asked(ANNA, "POST", f"{path}/replay", {"after": 0}).status_code == 200
    assert clients.asked(ANNA, "POST", f"{path}/disable").status_code == 200
    replay = clients.asked(ANNA, "POST", f"{path}/replay", {"after": 0})
    assert (replay.status_code, replay.json()["code"]) == (409, "webhook-switched-off")
    for method, more in (("GET", ""), ("POST", "/disable"), ("POST", "/test")):
        assert clients.asked(BO, method, f"{path}{more}").status_code == 404
    assert clients.asked(BO, "GET", "").json()["webhooks"] == []


def test_silent_receivers_keep_nobody_waiting_but_who_tries_them(clients: Clients) -> None:
    """More trials than there are threads that answer requests: two of a user go on."""
    heard, over = Semaphore(0), Event()

    def silent(_: socket.socket) -> None:
        heard.release()
        over.wait(10)

    with raw_receiver(silent) as url, ThreadPoolExecutor(45) as pool:
        path = f"/{registered(clients, url)['webhook']}/test"
        asking = [pool.submit(clients.asked, ANNA, "POST", path) for _ in range(45)]
        assert heard.acquire(timeout=5)
        done, rest = wait(asking, timeout=5, return_when=FIRST_COMPLETED)
        while len(done) < 43:
            done, rest = wait(asking, timeout=1)
        refused = [one.result() for one in done]
        assert {(one.status_code, one.json()["code"]) for one in refused} == {
            (429, "too-many-requests")
        }
        assert {one.headers["Retry-After"] for one in refused} == {"5"}
        assert clients.asked(ANNA, "GET", "").status_code == 200
        assert len(rest) == 2
        over.set()
    assert [one.result().json()["taken"] for one in rest] == [False, False]


def test_a_server_tries_only_so_many_receivers_at_once(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "IN_ALL", 1)
    heard, over = Event(), Event()

    def silent(_: socket.socket) -> None:
        heard.set()
        over.wait(10)

    with raw_receiver(silent) as url, ThreadPoolExecutor(1) as pool:
        path = f"/{registered(clients, url)['webhook']}/test"
        trial = pool.submit(clients.asked, ANNA, "POST", path)
        assert heard.wait(5)
        refused = clients.asked(ADMIN, "POST", path)
        over.set()
    assert (refused.status_code, refused.json()["code"]) == (503, "too-busy")
    assert trial.result().status_code == 200
    assert clients.asked(ANNA, "POST", path).status_code == 200


def test_a_trial_takes_less_time_than_a_delivery(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed, "PING_SECONDS", 0.2)
    over = Event()

    def silent(_: socket.socket) -> None:
        over.wait(5)

    with raw_receiver(silent) as url:
        path = f"/{registered(clients, url)['webhook']}/test"
        tried = clients.asked(ANNA, "POST", path).json()
        over.set()
    assert tried["error"] == "timed-out"
    assert 150 < tried["milliseconds"] < 3_000


def test_deliveries_are_paged_by_state_and_replayed(
    clients: Clients, selling: Selling, receiver: Receiver
) -> None:
    path = f"/{registered(clients, receiver.url)['webhook']}"
    selling.notes("d-1", 3)
    receiver.answer = lambda _: 500
    Steps(selling).work()
    page = clients.asked(ANNA, "GET", f"{path}/deliveries?state=pending&limit=2")
    assert (page.json()["pending"], page.json()["dead"]) == (3, 0)
    positions = [one["position"] for one in page.json()["deliveries"]]
    rest = clients.asked(ANNA, "GET", page.links["next"]["url"].removeprefix("/v1/webhooks"))
    positions += [one["position"] for one in rest.json()["deliveries"]]
    assert rest.json()["cursor"] is None
    assert positions == sorted(positions, reverse=True)
    assert len(set(positions)) == 3
    history = clients.asked(ANNA, "GET", f"{path}/deliveries/{positions[0]}").json()
    assert [one["status"] for one in history["tried"]] == [500]
    assert history["delivery"]["error"] == "refused"
    receiver.answer = lambda _: 200
    again = clients.asked(ANNA, "POST", f"{path}/deliveries/{positions[0]}/replay")
    assert again.status_code == 200
    Steps(selling).work()
    assert selling.delivery(positions[0], path[1:]).state is State.DELIVERED
    assert clients.asked(ANNA, "POST", f"{path}/deliveries/9999/replay").status_code == 404


def test_parameters_that_cannot_be_used(clients: Clients, receiver: Receiver) -> None:
    path = f"/{registered(clients, receiver.url)['webhook']}"
    for query in ("cursor=x", "state=gone", "limit=0", "other=1"):
        response = clients.asked(ADMIN, "GET", f"{path}/deliveries?{query}")
        assert (response.status_code, response.json()["code"]) == (422, "invalid-parameter"), query
