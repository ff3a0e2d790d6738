"""`dealstate serve`: loopback only, and a server that answers and stops."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from api.cli.serve import is_loopback
from tests.api.cli.conftest import Run
from tests.shared_data import REPOSITORY


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_loopback_addresses(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.2", "example.org", "", "127.0.0.1.example.org", "1"]
)
def test_other_addresses_are_refused_with_the_reason(run: Run, host: str) -> None:
    assert not is_loopback(host)
    result = run("serve", f"--host={host}", "--port", "0")
    assert result.exit_code == 2
    assert "can be reached by other machines" in result.stderr


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_ports_that_are_none(run: Run, port: str) -> None:
    assert run("serve", f"--port={port}").exit_code == 2


def test_a_port_in_use_is_told(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("serve", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert "(port-unavailable)" in result.stderr
    assert "--port" in result.stderr


def test_it_serves_until_it_is_stopped(own_store: str) -> None:
    command = [sys.executable, "-c", "from api.cli.entry import main; main()"]
    with subprocess.Popen(
        [*command, "--db", own_store, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            found = re.search(r"(http://127\.0\.0\.1:\d+)/docs", line)
            assert found, line
            with urllib.request.urlopen(f"{found[1]}/v1/deals?status=won", timeout=10) as answer:
                deals = json.load(answer)["deals"]
            assert [deal["reference"] for deal in deals] == ["M-1"]
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=20)
    assert server.returncode in {0, 130}


@pytest.mark.parametrize("thread", ["read models", "maintenance"])
def test_it_stops_while_its_worker_is_in_the_middle_of_a_statement(
    own_store: str, thread: str
) -> None:
    stuck = [sys.executable, "-m", "tests.api.cli.stuck", thread]
    with subprocess.Popen(
        [*stuck, "--db", own_store, "serve", "--port", "0"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            assert any(line == "is stuck\n" for line in server.stdout)
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=20)
        finally:
            server.kill()
    assert server.returncode in {0, 130}
