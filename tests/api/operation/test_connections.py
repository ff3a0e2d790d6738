"""Clients that are slow, broken or too many, on real sockets: bounded in time, and no effect."""

import json
import socket
import time
from collections.abc import Iterator

import pytest

from api.settings import Settings
from store.location import Location
from store.log import DealLog
from tests.api.operation.running import heard, running, talk
from tests.api.serving import app_of

LIMIT_SECONDS = 0.25
HEAD = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n"
WRITE = (
    b"POST /v1/deals HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 500\r\n\r\n"
)


@pytest.fixture(scope="module")
def port(small_store: str) -> Iterator[int]:
    settings = Settings(db=small_store, timezone="UTC", worker=False)
    with running(app_of(settings), LIMIT_SECONDS, most_connections=20) as port:
        yield port


def until(connection: socket.socket, end: bytes) -> bytes:
    """What comes, up to an end."""
    found = b""
    while not found.endswith(end):
        part = connection.recv(65536)
        assert part, found
        found += part
    return found


def problem(answer: bytes) -> tuple[int, str]:
    """Status and code of an answer, which has to be a problem."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    told = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {told['status']} ".encode())
    assert b"connection: close" in head.lower()
    return told["status"], told["code"]


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"x" * 70_000,
    ],
)
def test_what_is_not_http_is_a_problem_and_the_end(port: int, sent: bytes) -> None:
    assert problem(talk(port, sent)) == (400, "not-http")


@pytest.mark.parametrize(
    "sent", [b"GET /liv", HEAD, WRITE, WRITE + b'{"name":', WRITE[:-2]], ids=str
)
def test_a_request_that_does_not_arrive_ends_in_time(port: int, sent: bytes) -> None:
    start = time.monotonic()
    assert problem(talk(port, sent)) == (408, "request-too-slow")
    assert LIMIT_SECONDS * 0.9 <= time.monotonic() - start < LIMIT_SECONDS + 2


def test_bytes_that_trickle_do_not_prolong_it(port: int) -> None:
    start = time.monotonic()
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.settimeout(0.05)
        for byte in HEAD * 5:
            try:
                connection.sendall(bytes([byte]))
                answer += connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            if answer:
                break
    assert b" 408 " in answer.splitlines()[0]
    assert time.monotonic() - start < LIMIT_SECONDS + 2


def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    start = time.monotonic()
    assert talk(port) == b""
    assert time.monotonic() - start < LIMIT_SECONDS + 2


def test_a_connection_in_use_is_kept(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for _ in range(4):
            connection.sendall(HEAD + b"\r\n")
            assert b"alive" in until(connection, b"}")
            time.sleep(LIMIT_SECONDS / 2)


def test_requests_sent_together_are_answered_in_turn(port: int) -> None:
    last = HEAD + b"Connection: close\r\n\r\n"
    assert talk(port, (HEAD + b"\r\n") * 5 + last).count(b"HTTP/1.1 200") == 6


def test_half_a_command_records_nothing(port: int, small_store: str) -> None:
    def events() -> int:
        with DealLog.open(Location.parse(small_store)) as log:
            return log.head()

    before = events()
    body = b'{"name": "Half", "process": "key-account/1", "stage": "P0"}'
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(WRITE + body)
    assert b" 408 " in talk(port, WRITE + body)
    assert events() == before


def test_more_connections_than_are_kept_are_refused_and_room_is_made(port: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(20)]
    try:
        time.sleep(0.05)
        refused = talk(port)
        assert problem(refused) == (503, "too-many-connections")
        assert b"retry-after" in refused.lower()
    finally:
        for one in held:
            one.close()
    time.sleep(0.1)
    assert talk(port, HEAD + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_an_upgrade_to_something_else_is_answered_as_a_request(port: int) -> None:
    wanted = HEAD + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(wanted)
        connection.shutdown(socket.SHUT_WR)
        assert heard(connection).startswith(b"HTTP/1.1 200")
