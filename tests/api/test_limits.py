"""How much one user may ask, and how much the server takes on at once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from api.app import create_app
from api.around import limits
from api.around.limits import AtOnce, Buckets, Left
from api.settings import Settings
from api.wire.problems import Problem
from domain.access import Principal, Role


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


# Buckets.


def test_a_full_bucket_holds_the_burst_and_drops_come_back_with_time() -> None:
    clock = Clock()
    buckets = Buckets(2, 3, clock)
    assert [buckets.take("ann") for _ in range(4)] == [
        Left(True, 2, 0),
        Left(True, 1, 0),
        Left(True, 0, 1),
        Left(False, 0, 1),
    ]
    clock.now += 0.49
    assert not buckets.take("ann").taken
    clock.now += 0.02
    assert buckets.take("ann") == Left(True, 0, 1)
    clock.now += 1_000
    assert buckets.take("ann") == Left(True, 2, 0)


def test_users_have_buckets_of_their_own() -> None:
    buckets = Buckets(1, 1, Clock())
    assert buckets.take("ann").taken
    assert buckets.take("bo").taken
    assert not buckets.take("ann").taken


def test_a_slow_rate_tells_how_long_to_wait() -> None:
    clock = Clock()
    buckets = Buckets(0.1, 1, clock)
    assert buckets.policy == '"user";q=1;w=10'
    assert buckets.take("ann") == Left(True, 0, 10)
    clock.now += 4
    assert buckets.take("ann") == Left(False, 0, 6)
    clock.now += 6
    assert buckets.take("ann").taken


def test_a_clock_that_is_set_back_takes_nothing_away() -> None:
    clock = Clock()
    buckets = Buckets(1, 2, clock)
    assert buckets.take("ann").requests == 1
    clock.now -= 50
    assert buckets.take("ann").requests == 0


def test_so_many_buckets_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "USERS", 2)
    buckets = Buckets(1, 1, Clock())
    for user in ("ann", "bo", "cy"):
        assert buckets.take(user).taken
    assert not buckets.take("cy").taken
    assert buckets.take("ann").taken


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_nobody_gets_more_than_the_burst_and_the_rate(
    pauses: list[float], per_second: int, burst: int
) -> None:
    clock = Clock()
    buckets = Buckets(per_second, burst, clock)
    taken = 0
    for pause in pauses:
        clock.now += pause
        left = buckets.take("ann")
        taken += left.taken
        assert 0 <= left.requests < burst
        assert left.taken or left.wait_seconds >= 1
        assert taken <= burst + (clock.now - 100) * per_second + 1e-6


# Over HTTP.


@contextmanager
def serving(url: str, **settings: Any) -> Iterator[TestClient]:
    """The service, where who asks is named in the header."""
    who = {name: Principal(name, frozenset({Role.AUDITOR})) for name in ("ann", "bo")}
    app = create_app(
        Settings(db=url, worker=False, **settings), lambda given, _: who[given[0].split()[1]]
    )
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def ask(client: TestClient, who: str, path: str = "/v1/session") -> Any:
    return client.get(path, headers={"Authorization": f"Bearer {who}"})


def test_who_asks_too_much_is_told_when_to_come_back(small_store: str) -> None:
    with serving(small_store, rate_per_second=0.001, rate_burst=2) as client:
        answers = [ask(client, "ann") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"user";q=2;w=2000'}
        assert [answer.headers["ratelimit"] for answer in answers] == [
            '"user";r=1;t=0',
            '"user";r=0;t=1000',
            '"user";r=0;t=1000',
        ]
        refused = answers[-1]
        assert refused.headers["retry-after"] == "1000"
        problem = msgspec.json.decode(refused.content, type=Problem)
        assert (problem.code, problem.status) == ("too-many-requests", 429)
        assert ask(client, "bo").status_code == 200
        # What takes no caller is counted for nobody.
        assert client.get("/livez").status_code == 200
        assert "ratelimit" not in client.get("/livez").headers
        # What leads nowhere, and what is refused, is counted too.
        assert ask(client, "bo", "/v1/nothing").status_code == 404
        assert ask(client, "bo", "/v1/nothing").status_code == 429


def test_no_rate_is_no_limit(small_store: str) -> None:
    with serving(small_store, rate_per_second=0, rate_burst=1) as client:
        answers = [ask(client, "ann") for _ in range(5)]
        assert {answer.status_code for answer in answers} == {200}
        assert "ratelimit" not in answers[0].headers


class Waiting:
    """An application that answers once it may."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await self.may_answer.wait()
        if scope["path"] == "/v1/fault":
            raise RuntimeError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class _App:
    """What of the application the door looks at."""

    class state:  # noqa: N801
        also_open = frozenset[str]()


async def status(app: AtOnce, path: str) -> tuple[int, dict[bytes, bytes]]:
    found: list[Message] = []

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        found.append(message)

    scope = {"type": "http", "path": path, "method": "GET", "headers": [], "app": _App}
    await app(scope, receive, send)
    return found[0]["status"], dict(found[0]["headers"])


def test_so_many_requests_are_taken_on_at_once_and_room_is_given_back() -> None:
    async def play() -> None:
        inner = Waiting()
        app = AtOnce(inner, 2)
        running = [asyncio.create_task(status(app, path)) for path in ("/v1/a", "/v1/fault")]
        while inner.asked < 2:
            await asyncio.sleep(0)
        code, headers = await status(app, "/v1/b")
        assert (code, headers[b"retry-after"]) == (503, b"1")
        assert inner.asked == 2
        watching = asyncio.create_task(status(app, "/livez"))
        while inner.asked < 3:
            await asyncio.sleep(0)
        inner.may_answer.set()
        assert (await watching)[0] == 200
        first, second = await asyncio.gather(*running, return_exceptions=True)
        assert not isinstance(first, BaseException)
        assert first[0] == 200
        assert isinstance(second, RuntimeError)
        assert [(await status(app, "/v1/b"))[0] for _ in range(3)] == [200, 200, 200]

    asyncio.run(play())


def test_no_number_is_no_limit() -> None:
    async def play() -> None:
        inner = Waiting()
        app = AtOnce(inner, 0)
        running = [asyncio.create_task(status(app, "/v1/a")) for _ in range(5)]
        while inner.asked < 5:
            await asyncio.sleep(0)
        inner.may_answer.set()
        assert {code for code, _ in await asyncio.gather(*running)} == {200}

    asyncio.run(play())


@pytest.mark.parametrize(
    "wrong", [{"rate_per_second": -1}, {"rate_burst": 0}, {"requests_at_once": -1}]
)
def test_settings_that_cannot_be(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)  # type: ignore[arg-type]
