"""`dealstate events`: the feed on the command line."""

import csv
import io
import subprocess
import sys
from typing import Any

import msgspec

from domain.access import Role
from domain.lifecycle.commands import AddNote
from domain.organisation import GrantMembership
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import Run
from tests.api.small_store import EVENTS
from tests.contract.asking import intent
from tests.shared_data import REPOSITORY


def lines(run: Run, *args: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in run("events", "-f", "json", *args).lines]


def test_it_is_the_feed_a_cloudevent_on_each_line(run: Run) -> None:
    found = lines(run)
    assert [int(event["position"]) for event in found] == list(range(1, EVENTS + 1))
    assert {event["specversion"] for event in found} == {"1.0"}
    assert lines(run, "--after", "20", "--limit", "2") == found[20:22]
    deal = lines(run, "--stream", "deal:d-press", "--type", "note-added")
    assert [event["id"] for event in deal] == ["deal:d-press@6"]


def test_as_a_table(run: Run) -> None:
    result = run("events", "--after", "5", "--limit", "2")
    head, _, first, *_ = result.lines
    assert head.split() == ["position", "stream", "version", "type", "occurred", "recorded", "by"]
    assert first.split()[:4] == ["6", "deal:d-press", "1", "opportunity-opened"]
    assert result.stderr.endswith("There are more: raise --limit, or go on with --after 7\n")
    assert run("events", "--stream", "deal:none").stderr == "No events match.\n"


def test_as_csv(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("events", "-f", "csv").stdout)))
    assert len(rows) == EVENTS
    assert rows[0]["id"] == "user:u-anna@1"
    assert msgspec.json.decode(rows[0]["data"])["name"] == "Anna Lee"


def test_users_list_what_they_may_read(write: Run, own_store: str) -> None:
    with DealLog.open(Location.parse(own_store)) as log:
        log.configure(GrantMembership("u-anna", Role.SELLER), intent("grant"))
    subjects = {event["subject"] for event in lines(write, "--as", "u-anna")}
    assert subjects == {"deal:d-robot", "deal:d-rest"}


def test_what_cannot_be_asked(run: Run) -> None:
    for args in (("--type", "nothing"), ("--stream", "deal"), ("--follow", "-f", "csv")):
        result = run("events", *args)
        assert result.exit_code == 2, result.stdout


def test_who_follows_gets_what_another_process_records(own_store: str) -> None:
    start = "from api.cli.entry import main; main()"
    command = [sys.executable, "-c", start, "--db", own_store, "events", "--follow"]
    with subprocess.Popen(
        [*command, "--after", str(EVENTS - 1)], cwd=REPOSITORY, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            last = msgspec.json.decode(process.stdout.readline())
            assert last["position"] == str(EVENTS)
            with DealLog.open(Location.parse(own_store)) as log:
                for number in range(3):
                    log.handle("d-rest", AddNote(f"new {number}"), intent(f"n-{number}"))
                    found = msgspec.json.decode(process.stdout.readline())
                    assert found["data"]["text"] == f"new {number}"
        finally:
            process.kill()
