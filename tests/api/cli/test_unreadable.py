"""An event that cannot be read: answers about everything else go on, and say what is missing."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TypeAlias

import pytest

from api.wire.deals import DealPage
from api.wire.pipelines import Pipeline
from api.wire.trails import AuditTrail
from tests.api.cli.conftest import Run
from tests.api.small_store import DEALS, EVENTS, USERS

PRESS = "deal:d-press"
LEFT_OUT = (
    "entries of 1 stream are left out, since the read model audit failed on it;"
    " dealstate status tells how"
)
CANNOT_BE_READ = "1 entry is of an event that cannot be read; dealstate audit fsck tells why"

Spoil: TypeAlias = Callable[[str, str, int], None]


def damage(url: str, stream: str, version: int) -> None:
    _change(url, "state = CAST(replace(state, '\"fact\"', '\"facd\"') AS BLOB)", stream, version)


def make_newer(url: str, stream: str, version: int) -> None:
    _change(url, "topic = 'deal-went-to-the-moon@1'", stream, version)


def _change(url: str, change: str, stream: str, version: int) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as log, log:
        changed = log.execute(
            f"UPDATE stored_events SET {change} WHERE originator_id = ? AND originator_version = ?",
            (stream, version),
        )
        assert changed.rowcount == 1


def trail(run: Run, *args: str) -> AuditTrail:
    return run("audit", "trail", "--format", "json", *args).read(AuditTrail)


@pytest.mark.parametrize("spoil", [damage, make_newer])
@pytest.mark.parametrize("built", [True, False])
def test_a_user_who_cannot_be_read_is_called_by_the_id(
    write: Run, own_store: str, spoil: Spoil, built: bool
) -> None:
    write("deals")
    spoil(own_store, "user:u-anna", 1)
    if not built:
        write("rebuild")
    page = write("deals", "--format", "json").read(DealPage)
    assert len(page.deals) == len(DEALS)
    names = {deal.owner.id: deal.owner.name for deal in page.deals}
    assert (names["u-anna"], names["u-ben"]) == (None, USERS["u-ben"])
    figures = write("pipeline", "--by", "owner", "--format", "json").read(Pipeline)
    assert figures.totals
    entries = trail(write).entries
    assert {entry.actor.name for entry in entries if entry.actor.id == "u-ben"} == {"Ben Ito"}
    assert len(entries) == EVENTS - (not built)


def test_rights_are_decided_on_what_can_be_read_alone(write: Run, own_store: str) -> None:
    damage(own_store, "user:u-anna", 1)
    refused = write("show", "M-1")
    assert (refused.exit_code, "unreadable-event" in refused.stderr) == (1, True)


@pytest.mark.parametrize("spoil", [damage, make_newer])
def test_an_entry_that_cannot_be_read_any_more_says_so(
    write: Run, own_store: str, spoil: Spoil
) -> None:
    before = trail(write)
    spoil(own_store, PRESS, 8)
    after = trail(write)
    assert (before.caveats, after.caveats) == ([], [CANNOT_BE_READ])
    assert [entry.position for entry in after.entries] == list(range(1, EVENTS + 1))
    known = {(entry.stream, entry.version): entry for entry in before.entries}
    for entry in after.entries:
        then = known[entry.stream, entry.version]
        assert (entry.type, entry.actor.id, entry.recorded_at, entry.withdrawn_by) == (
            then.type,
            then.actor.id,
            then.recorded_at,
            then.withdrawn_by,
        )
        if entry.stream != PRESS or entry.version < 8:
            assert entry == then
        elif entry.version == 8:
            assert entry.what == "owner-changed; the event cannot be read"
            assert (entry.fact, entry.correlation_id, entry.changes) == (None, None, [])
        else:
            assert entry.what.endswith("what it changed is not known: version 8 is unreadable")
            assert (entry.fact, entry.changes) == (then.fact, [])
    told = write("audit", "trail")
    assert "owner-changed; the event cannot be read" in " ".join(told.stdout.split())
    assert f"Note: {CANNOT_BE_READ}." in told.stderr
    assert f"Note: {CANNOT_BE_READ}." in write("audit", "trail", "--format", "csv").stderr


@pytest.mark.parametrize("version", [1, 7, 10])
def test_the_trail_says_what_is_parked(write: Run, own_store: str, version: int) -> None:
    """Also of a deal whose opening, or a withdrawal, cannot be read."""
    make_newer(own_store, PRESS, version)
    write("rebuild")
    answer = trail(write)
    assert answer.caveats == [LEFT_OUT]
    assert len(answer.entries) == EVENTS - 1
    of_deal = [entry for entry in answer.entries if entry.stream == PRESS]
    assert [entry.version for entry in of_deal] == [v for v in range(1, 11) if v != version]
    assert f"Note: {LEFT_OUT}." in write("audit", "trail").stderr
    assert trail(write, "M-1").caveats == []


def test_a_withdrawal_behind_what_cannot_be_read_counts(write: Run, own_store: str) -> None:
    make_newer(own_store, PRESS, 3)
    entries = {entry.version: entry for entry in trail(write).entries if entry.stream == PRESS}
    assert entries[6].withdrawn_by == 7
    assert entries[10].what == (
        "opportunity-lost; what it changed is not known: version 3 is unreadable"
    )
