"""Drills of the service: told to end under load, by several processes, on each kind of store."""

import os
import signal
import socket
import time

import pytest

from store.location import Location
from tests.conftest import NewLocation
from tests.drills.serving import (
    PATIENCE_SECONDS,
    Served,
    Writers,
    furnish,
    require_all,
    serve,
    until,
)


def require_no_loss_at_the_end(location: Location, *options: str) -> None:
    key = furnish(location)
    with serve(location, key, *options) as server, Writers([server], 4) as writers:
        until(lambda: len(writers.acknowledged) >= 20)
        start = time.monotonic()
        assert server.end() == 0
        # It ends by itself, and is not ended by the limit of twenty seconds.
        assert time.monotonic() - start < 20
    # Clients that come too late are not answered, and nobody is told of a fault.
    assert not [answer for answer in writers.refused if answer.status != 503]
    require_all(location, writers.acknowledged)


def test_told_to_end_under_load_it_loses_nothing_and_leaves_with_0(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    require_no_loss_at_the_end(Location.beside(tmp_path_factory.mktemp("store") / "deals.db"))


@pytest.mark.drill
@pytest.mark.parametrize("options", [(), ("--workers", "3")])
def test_on_postgresql_as_well(new_location: NewLocation, options: tuple[str, ...]) -> None:
    location = new_location()
    if location.database is None:
        pytest.skip("it is about PostgreSQL")
    require_no_loss_at_the_end(location, *options)


@pytest.mark.drill
def test_balancers_notice_before_connections_are_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    location = Location.beside(tmp_path_factory.mktemp("store") / "deals.db")
    key = furnish(location)
    with serve(location, key, settings={"drain_seconds": "5"}) as server:
        until(lambda: server.ask("GET", "/readyz").status == 200)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.ask("GET", "/readyz").status == 503)
        assert server.open_deal("d-1").status == 201
        assert server.process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.drill
@pytest.mark.parametrize("options", [(), ("--workers", "2")])
def test_a_second_signal_ends_it_at_once(
    new_location: NewLocation, options: tuple[str, ...]
) -> None:
    location = new_location()
    if location.database is None:
        pytest.skip("one of them takes PostgreSQL")
    key = furnish(location)
    with serve(location, key, *options, settings={"drain_seconds": "60"}) as server:
        until(lambda: server.ask("GET", "/livez").status == 200)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 128 + signal.SIGTERM


@pytest.mark.drill
def test_a_request_in_flight_is_finished(tmp_path_factory: pytest.TempPathFactory) -> None:
    location = Location.beside(tmp_path_factory.mktemp("store") / "deals.db")
    key = furnish(location)
    body = b'{"name": "Slow", "owner": "u-anna", "currency": "USD"}'
    head = (
        f"POST /v1/deals?id=d-1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        "Idempotency-Key: c-1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with serve(location, key) as server:
        until(lambda: server.ask("GET", "/livez").status == 200)
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(head.encode() + body[:10])
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            connection.sendall(body[10:])
            assert connection.recv(65536).startswith(b"HTTP/1.1 201")
        assert server.process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.drill
def test_two_servers_on_one_database_read_what_the_other_wrote(new_location: NewLocation) -> None:
    location = new_location()
    if location.database is None:
        pytest.skip("it is about PostgreSQL")
    key = furnish(location)
    with serve(location, key) as one, serve(location, key, "--no-worker") as other:
        servers = [one, other]
        for number in range(40):
            writer, reader = servers[number % 2], servers[1 - number % 2]
            token = writer.open_deal(f"d-{number}").body["token"]
            found = reader.ask("GET", "/v1/deals?limit=100", headers={"Dealstate-Wait-For": token})
            assert f"d-{number}" in {deal["id"] for deal in found.body["deals"]}
            found = reader.ask("GET", f"/v1/deals/d-{number}")
            assert found.status == 200
            # The same command at the other one is the same command.
            again = reader.open_deal(f"d-{number}")
            assert again.body["token"] == token
            assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.drill
def test_a_process_that_is_gone_is_started_again(new_location: NewLocation) -> None:
    location = new_location()
    if location.database is None:
        pytest.skip("it is about PostgreSQL")
    key = furnish(location)
    with serve(location, key, "--workers", "2") as server, Writers([server], 4) as writers:
        until(lambda: len(writers.acknowledged) >= 10)
        gone = _children(server)
        os.kill(gone[0], signal.SIGKILL)
        until(lambda: len(_children(server)) == 2 and gone[0] not in _children(server))
        at = len(writers.acknowledged)
        until(lambda: len(writers.acknowledged) >= at + 10)
        assert server.end() == 0
    require_all(location, writers.acknowledged)


def _children(server: Served) -> list[int]:
    """The processes that serve: those that have the socket, not the tracker of resources."""
    import subprocess

    found = subprocess.run(
        ["pgrep", "-f", "-P", str(server.process.pid), "spawn_main"],
        check=False,
        capture_output=True,
        text=True,
    )
    return [int(line) for line in found.stdout.split()]
