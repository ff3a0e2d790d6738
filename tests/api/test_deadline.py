"""Who waits too long is told so, and what was done for them is stopped."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.app import create_app
from api.around.deadline import Deadline
from api.queries.stores import read_status
from api.settings import Settings
from api.workspace import Workspace
from projections.columns.base import translated
from store.interruption import CURRENT, Interrupted, Work, go_on, interruptible
from tests.api.serving import HOLDER, everybody_is

_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@contextmanager
def _worked(work: Work) -> Iterator[None]:
    token = CURRENT.set(work)
    try:
        yield
    finally:
        CURRENT.reset(token)


@pytest.fixture
def hasty(small_store: str) -> Iterator[TestClient]:
    """A client of a service that gives half a second."""
    settings = Settings(db=small_store, worker=False, timeout_seconds=0.5)
    app = create_app(settings, everybody_is(HOLDER))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def test_a_statement_that_takes_too_long_is_interrupted(
    hasty: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[BaseException] = []

    def endless(store: Workspace) -> object:
        try:
            with store.fresh() as connection:
                connection.exec_driver_sql(_ENDLESS)
        except BaseException as error:
            ended.append(error)
            raise
        return read_status(store)

    assert hasty.get("/v1/deals").status_code == 200  # so that the read models are there
    monkeypatch.setattr("api.routes.stores.read_status", endless)
    began = time.monotonic()
    answer = hasty.get("/v1/status")
    assert answer.status_code == 503
    assert answer.json()["code"] == "took-too-long"
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["cache-control"] == "no-store"
    assert time.monotonic() - began < 5
    assert [type(error) for error in ended] == [Interrupted]
    assert isinstance(ended[0].__cause__, Exception)
    assert "interrupted" in str(ended[0].__cause__)


def test_the_connection_is_as_good_as_before(
    hasty: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(store: Workspace) -> object:
        with store.fresh() as connection:
            connection.exec_driver_sql(_ENDLESS)
        return read_status(store)

    with monkeypatch.context() as patched:
        patched.setattr("api.routes.stores.read_status", endless)
        assert hasty.get("/v1/status").status_code == 503
    assert hasty.get("/v1/status").status_code == 200


def test_what_is_in_time_is_left_alone(hasty: TestClient) -> None:
    assert hasty.get("/v1/deals").status_code == 200


def _answered(app: object, seconds: float) -> tuple[int, bytes]:
    """What a service of one route answers within so many seconds."""
    client = TestClient(Deadline(app, seconds))  # type: ignore[arg-type]
    answer = client.get("/")
    return answer.status_code, answer.content


def test_an_answer_that_has_begun_goes_on() -> None:
    async def slowly(scope: Scope, receive: Receive, send: Send) -> None:
        async def parts() -> object:
            for part in (b"a", b"b"):
                yield part
                await asyncio.sleep(0.05)

        await StreamingResponse(parts())(scope, receive, send)  # type: ignore[arg-type]

    assert _answered(slowly, 0.02) == (200, b"ab")


def test_what_is_written_is_not_interrupted() -> None:
    done = threading.Event()

    async def writing(scope: Scope, receive: Receive, send: Send) -> None:
        def write() -> None:
            time.sleep(0.1)
            done.set()

        await asyncio.to_thread(write)
        await PlainTextResponse("written")(scope, receive, send)

    status, content = _answered(writing, 0.02)
    assert status == 503
    assert b"took-too-long" in content
    assert done.is_set()


def test_a_fault_is_told_as_without_a_deadline() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        _answered(failing, 1)


def test_nothing_begins_once_the_work_is_stopped() -> None:
    work = Work()
    with _worked(work):
        go_on()
        with interruptible(lambda: None):
            pass
        work.stop()
        with pytest.raises(Interrupted):
            go_on()
        with pytest.raises(Interrupted), interruptible(lambda: None):
            raise AssertionError("it began")


def test_without_anybody_who_waits_nothing_is_interrupted() -> None:
    go_on()
    with interruptible(lambda: pytest.fail("nobody called")):
        pass


def test_what_has_ended_is_not_interrupted() -> None:
    work, called = Work(), []
    with _worked(work), interruptible(lambda: called.append(1)):
        pass
    work.stop()
    assert called == []


def test_a_fault_of_what_was_not_stopped_is_that_fault() -> None:
    with _worked(Work()), pytest.raises(ValueError, match="own"), interruptible(lambda: None):
        raise ValueError("own")


def test_sqlite_is_interrupted_from_another_thread() -> None:
    work, connection = Work(), sqlite3.connect(":memory:", check_same_thread=False)
    stopping = threading.Timer(0.05, work.stop)
    stopping.start()
    with _worked(work), pytest.raises(Interrupted), interruptible(connection.interrupt):
        connection.execute(_ENDLESS).fetchall()
    stopping.join()
    connection.close()


def test_duckdb_is_interrupted_and_its_base_is_not_taken_for_damaged(tmp_path: object) -> None:
    import duckdb

    work, connection = Work(), duckdb.connect()
    cursor = connection.cursor()
    stopping = threading.Timer(0.05, work.stop)
    stopping.start()
    many = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3"
    with (
        _worked(work),
        pytest.raises(Interrupted),
        interruptible(cursor.interrupt),
        translated(tmp_path),  # type: ignore[arg-type]
    ):
        cursor.execute(many).fetchall()
    stopping.join()
    connection.close()
