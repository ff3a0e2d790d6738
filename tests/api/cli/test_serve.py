"""`dealstate serve`: who is let in, where it listens, and a server that answers and stops."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from api.cli.configuring import carried_out
from api.cli.first_key import FIRST_ROLES, FIRST_USER, has_key, issue_first_key
from api.cli.serve import address_of, is_loopback, is_wildcard
from api.operation.processes import Served
from api.workspace import Workspace
from domain.organisation import IssueApiKey, RevokeApiKey
from store.location import Location
from tests.api.cli.conftest import Run
from tests.scenario import OPERATOR
from tests.shared_data import REPOSITORY


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "127.1", "::1", "localhost"])
def test_loopback_addresses(host: str) -> None:
    assert is_loopback(address_of(host))


ALL_ADDRESSES = ["0.0.0.0", "::", "0", "0.0", "0x0", "", "::ffff:0.0.0.0", "0:0::0"]


@pytest.mark.parametrize("host", ALL_ADDRESSES)
def test_all_addresses_take_a_name_however_they_are_written(run: Run, host: str) -> None:
    assert is_wildcard(address_of(host))
    result = run("serve", f"--host={host}", "--port", "0", "--behind-proxy", "10.0.0.1")
    assert result.exit_code == 2
    assert "--allow-host" in result.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.0.0.5", "no-such-host.invalid"])
def test_what_is_not_all_addresses(host: str) -> None:
    assert not is_wildcard(address_of(host))


@pytest.mark.parametrize(
    "proxies",
    [
        "*",
        "",
        "proxy",
        "10.0.0.1,",
        "10.0.0.1 10.0.0.2",
        "10.0.0.1/8",
        "0.0.0.0/0",
        "10.0.0.1,::/0",
        "0.0.0.0",
        "::",
        "0.0.0.0/1,128.0.0.0/1",
        "::ffff:0:0/96",
        "::/8",
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.5"])
def test_what_names_no_proxy_is_refused(run: Run, host: str, proxies: str) -> None:
    result = run("serve", f"--host={host}", "--port=0", f"--behind-proxy={proxies}")
    assert result.exit_code == 2
    assert "'--behind-proxy'" in result.stderr


def test_proxies_are_handed_on_as_they_are_meant(
    run: Run, own_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str | None] = []

    def served(served: Served, listening: socket.socket, _: int) -> None:
        listening.close()
        found.append(served.behind_proxy)

    monkeypatch.setattr("api.cli.serve._run", served)
    for told in ("10.0.0.1", "10.0.0.1, 10.1.0.0/16 ,fd00::1", None):
        named = () if told is None else ("--behind-proxy", told)
        assert run("--db", own_store, "serve", "--port", "0", *named).exit_code == 0
    assert found == ["10.0.0.1", "10.0.0.1,10.1.0.0/16,fd00::1", None]


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.2", "example.org", "", "127.0.0.1.example.org", "1"]
)
def test_other_addresses_are_refused_with_the_reason(run: Run, host: str) -> None:
    assert not is_loopback(address_of(host))
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
    assert "key" not in result.stdout


def test_it_serves_until_it_is_stopped(own_store: str) -> None:
    command = [sys.executable, "-c", "from api.cli.entry import main; main()"]
    for first in (True, False):
        with subprocess.Popen(
            [*command, "--db", own_store, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True
        ) as server:
            try:
                assert server.stdout is not None
                lines: list[str] = []
                while not lines or not lines[-1].startswith("Serving"):
                    lines.append(server.stdout.readline())
                found = re.search(r"(http://127\.0\.0\.1:\d+)/docs", lines[-1])
                assert found, lines
                if first:
                    # It is shown at the first start alone.
                    token = lines[1].strip()
                    assert re.fullmatch("dealstate_[0-9a-f]{12}_[0-9a-f]{64}", token)
                assert len(lines) == (4 if first else 1)
                with urllib.request.urlopen(_asking(found[1], token), timeout=10) as answer:
                    deals = json.load(answer)["deals"]
                assert [deal["reference"] for deal in deals] == ["M-1"]
                with pytest.raises(urllib.error.HTTPError, match="401"):
                    urllib.request.urlopen(_asking(found[1], token[:-1] + "x"), timeout=10)
            finally:
                server.send_signal(signal.SIGINT)
                server.communicate(timeout=20)
        assert server.returncode in {0, 130}


def _asking(address: str, token: str) -> urllib.request.Request:
    headers = {"Authorization": f"Bearer {token}"}
    return urllib.request.Request(f"{address}/v1/deals?status=won", headers=headers)


OTHERS = ("serve", "--host=0.0.0.0", "--port", "0", "--behind-proxy", "10.0.0.1")


def test_others_are_served_behind_a_proxy_that_speaks_tls(run: Run) -> None:
    assert "--allow-host" in run(*OTHERS).stderr
    assert "speaks TLS" in run("serve", "--host=10.0.0.5").stderr


def test_others_are_served_where_somebody_would_be_let_in(run: Run, own_store: str) -> None:
    asked = ("--db", own_store, *OTHERS, "--allow-host", "deals.example")
    result = run(*asked)
    assert result.exit_code == 1
    assert "(nobody-let-in)" in result.stderr
    assert "dealstate users key USER" in result.stderr
    assert "dealstate_" not in result.stdout
    with Workspace.open(Location.parse(own_store)) as store:
        assert not has_key(store)
        assert FIRST_USER not in store.log.organisation().directory.users


def test_a_key_that_is_good_no_longer_lets_nobody_in(own_store: str) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    with Workspace.open(Location.parse(own_store), clock=lambda: now) as store:
        for _ in range(2):
            # Cut short before, it is done again, and a user is made once.
            issue_first_key(store, OPERATOR)
        user = store.log.organisation().directory.users[FIRST_USER]
        assert has_key(store)
        assert [one.role for one in user.memberships] == list(FIRST_ROLES)
        for key in user.keys:
            carried_out(store, OPERATOR, RevokeApiKey(FIRST_USER, key.key))
        assert not has_key(store)
        carried_out(
            store, OPERATOR, IssueApiKey(FIRST_USER, "k", "0" * 64, "day", last_day=now.date())
        )
        assert has_key(store)
        store.now = lambda: now + timedelta(days=1)
        assert not has_key(store)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DEALSTATE_OIDC_ISSUER", "https://login.example", "given together"),
        ("DEALSTATE_OIDC_ALGORITHMS", "RS256,HS256", "one or more of"),
        ("DEALSTATE_OIDC_ALGORITHMS", "none", "one or more of"),
    ],
)
def test_settings_that_cannot_be_used_are_told(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    result = run("serve", "--port", "0")
    assert result.exit_code == 2
    assert told in result.stderr


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
