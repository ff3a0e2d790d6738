"""`dealstate serve` as a process of its own, and clients of it, for drills."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from api.auth.keys import make_key
from api.cli.configuring import carried_out
from api.workspace import Workspace
from domain.access import Role
from domain.organisation import GrantMembership, IssueApiKey, RegisterUser
from store.location import Location
from store.log import DealLog
from tests.scenario import OPERATOR

PATIENCE_SECONDS = 120
"""Processes take a minute until they answer, where others have the machine."""
_CLI = [sys.executable, "-c", "from api.cli.entry import main; main()"]


def furnish(location: Location) -> str:
    """Make a store with a seller. Answers with a key of theirs."""
    key = make_key()
    with Workspace.create(location) as store:
        carried_out(store, OPERATOR, RegisterUser("u-anna", "Anna Lee"))
        carried_out(store, OPERATOR, GrantMembership("u-anna", Role.SELLER))
        carried_out(store, OPERATOR, IssueApiKey("u-anna", key.id, key.digest, "drill"))
        with store.fresh():
            pass
    return key.token


class Answered(msgspec.Struct, frozen=True):
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        return str(self.body["code"])


class Served:
    """A server that runs."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, key: str) -> None:
        self.process = process
        self.port = port
        self.key = key

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = PATIENCE_SECONDS,
    ) -> Answered:
        """One request on a connection of its own. Raises OSError, HTTPException."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_seconds)
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            encoded = None if body is None else json.dumps(body)
            connection.request(method, path, encoded, sent)
            answer = connection.getresponse()
            told = answer.read()
            found = {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()
        is_json = "json" in found.get("content-type", "")
        return Answered(answer.status, found, json.loads(told) if is_json else told)

    def open_deal(self, deal: str, key: str | None = None) -> Answered:
        body = {"name": f"Deal {deal}", "owner": "u-anna", "currency": "USD"}
        asked = f"/v1/deals?id={deal}"
        return self.ask("POST", asked, body, {"Idempotency-Key": key or f"open-{deal}"})

    def note(self, deal: str, text: str, key: str) -> Answered:
        address = f"/v1/deals/{deal}/add-note"
        return self.ask("POST", address, {"text": text}, {"Idempotency-Key": key})

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end, and wait. Answers with its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def serve(
    location: Location,
    key: str,
    *options: str,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """Serve a store until the end."""
    named = {f"DEALSTATE_{name.upper()}": value for name, value in (settings or {}).items()}
    command = [*_CLI, "--db", str(location), "serve", "--port", "0", *options]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **named},
    ) as process:
        try:
            yield Served(process, _port_of(process), key)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(PATIENCE_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
            process.communicate()


def _port_of(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.match(r"Serving .* at http://127\.0\.0\.1:(\d+)/docs", line):
            return int(found[1])
    raise AssertionError("the server did not start")


def until(told: Callable[[], bool]) -> None:
    """Wait until it is so."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not told():
        assert time.monotonic() < give_up, "it does not happen"
        time.sleep(0.02)


class Writers:
    """Clients that open deals and add notes as fast as they are answered, until told to end."""

    def __init__(self, servers: list[Served], count: int) -> None:
        self.acknowledged: dict[str, int] = {}
        """The version that each key led to, of its own deal."""
        self.refused: list[Answered] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(servers[number % len(servers)], number))
            for number in range(count)
        ]

    def __enter__(self) -> "Writers":
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for one in self._threads:
            one.join(PATIENCE_SECONDS)
            assert not one.is_alive()

    def _write(self, server: Served, number: int) -> None:
        deal, at = f"w-{number}", 0
        while not self._stop.is_set():
            key = f"{deal}-{at}"
            try:
                answer = server.open_deal(deal, key) if at == 0 else server.note(deal, key, key)
            except (OSError, http.client.HTTPException):
                # Whether it was recorded is not known: it was not acknowledged.
                time.sleep(0.02)
                continue
            if answer.status in {200, 201}:
                self.acknowledged[key] = int(answer.body["version"])
                at += 1
            else:
                self.refused.append(answer)
                time.sleep(0.02)


def require_all(location: Location, acknowledged: Mapping[str, int]) -> None:
    """Every acknowledged command is in the log once, whole, and the log is as it was written."""
    with DealLog.open(location) as log:
        deals = {key.rpartition("-")[0] for key in acknowledged}
        found = {
            event.command_id: event.version for deal in deals for event in log.history(deal).events
        }
        counts = [len(log.history(deal).events) for deal in deals]
        versions = [log.history(deal).version for deal in deals]
    assert counts == versions
    assert {key: found.get(key) for key in acknowledged} == dict(acknowledged)
