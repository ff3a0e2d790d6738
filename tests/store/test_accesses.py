"""What is recorded of accesses: once a day for each user and deal, in all processes together."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from domain.access import EVERYTHING
from domain.accesses import DataExported, SecretsRead
from domain.history import Recorded
from store.accesses import READ_BACK, Access, Accesses
from store.errors import StoreFull
from store.location import Location
from store.log import DealLog
from tests.conftest import NewLocation

ALL = tuple(sorted(EVERYTHING))


class Clock:
    """Goes on by a microsecond at each reading, and where it is set to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now


def read(user: str, deal: str, route: str = "GET /v1/deals/{deal_id}") -> Access:
    return Access(user, "http", SecretsRead(deal, route, ALL))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def location(new_location: NewLocation) -> Location:
    return new_location()


@pytest.fixture
def log(location: Location, clock: Clock) -> Iterator[DealLog]:
    with DealLog.create(location, clock) as log:
        yield log


def events(log: DealLog, stream: str = "access:d-1") -> list[Recorded]:  # type: ignore[type-arg]
    return list(log.events_in(stream))


def test_who_read_what_when_and_how_is_recorded(log: DealLog, clock: Clock) -> None:
    accesses = Accesses(log, clock)
    accesses.record([read("ann", "d-1")])
    (event,) = events(log)
    assert event.fact == SecretsRead("d-1", "GET /v1/deals/{deal_id}", ALL)
    assert (event.actor, event.source) == ("ann", "http")
    assert clock.now - event.occurred_at < timedelta(seconds=1)
    accesses.record([Access("ann", "cli", DataExported("audit", "dealstate audit trail", ALL))])
    (event,) = events(log, "export:audit")
    assert (event.fact, event.source) == (
        DataExported("audit", "dealstate audit trail", ALL),
        "cli",
    )


def test_once_a_day_for_each_user_and_deal(log: DealLog, clock: Clock) -> None:
    accesses = Accesses(log, clock)
    for access in (read("ann", "d-1"), read("ann", "d-1", "elsewhere"), read("bo", "d-1")):
        accesses.record([access])
    accesses.record([read("ann", "d-1"), read("ann", "d-2"), read("ann", "d-2")])
    assert [event.actor for event in events(log)] == ["ann", "bo"]
    assert len(events(log, "access:d-2")) == 1
    clock.now += timedelta(days=1)
    accesses.record([read("ann", "d-1")])
    assert [event.actor for event in events(log)] == ["ann", "bo", "ann"]
    assert [event.recorded_at.date().day for event in events(log)] == [1, 1, 2]


def test_the_day_is_that_of_utc(log: DealLog, clock: Clock) -> None:
    accesses = Accesses(log, clock)
    clock.now = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
    accesses.record([read("ann", "d-1")])
    clock.now = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    accesses.record([read("ann", "d-1")])
    assert len(events(log)) == 2


def test_what_is_remembered_costs_no_look_into_the_log(
    log: DealLog, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    accesses = Accesses(log, clock)
    accesses.record([read("ann", "d-1")])

    def refuse(*_: object, **__: object) -> int:
        raise AssertionError

    monkeypatch.setattr(log.records, "version", refuse)
    monkeypatch.setattr(log.records, "append", refuse)
    assert accesses.is_remembered("ann", "access:d-1")
    accesses.record([read("ann", "d-1")])
    assert not accesses.is_remembered("bo", "access:d-1")
    assert not accesses.is_remembered("ann", "access:d-2")
    with pytest.raises(AssertionError):
        accesses.record([read("ann", "d-2")])


def test_another_process_does_not_record_it_again(
    log: DealLog, location: Location, clock: Clock
) -> None:
    Accesses(log, clock).record([read("ann", "d-1")])
    with DealLog.open(location, clock) as other:
        accesses = Accesses(other, clock)
        accesses.record([read("ann", "d-1"), read("bo", "d-1")])
    assert [event.actor for event in events(log)] == ["ann", "bo"]


def test_many_at_once_record_it_once(log: DealLog, location: Location, clock: Clock) -> None:
    with DealLog.open(location, clock) as other:
        both = [Accesses(log, clock), Accesses(other, clock)] * 4
        asked = [read("ann", f"d-{number}") for number in range(5)]
        with ThreadPoolExecutor(8) as pool:
            for task in [pool.submit(one.record, asked) for one in both]:
                task.result()
    assert {len(events(log, one.stream)) for one in asked} == {1}


def test_one_transaction_records_many(log: DealLog, clock: Clock) -> None:
    before = log.head()
    Accesses(log, clock).record([read("ann", f"d-{number}") for number in range(300)])
    assert log.head() == before + 300


def test_nothing_is_remembered_that_could_not_be_recorded(
    log: DealLog, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    accesses = Accesses(log, clock)

    def full(*_: object) -> int:
        raise StoreFull("there is no room", "Free some.")

    with monkeypatch.context() as patched:
        patched.setattr(log, "append_alone", full)
        with pytest.raises(StoreFull):
            accesses.record([read("ann", "d-1")])
    assert not accesses.is_remembered("ann", "access:d-1")
    accesses.record([read("ann", "d-1")])
    assert len(events(log)) == 1


def test_behind_very_many_others_it_is_rather_recorded_twice(log: DealLog, clock: Clock) -> None:
    Accesses(log, clock).record([read("ann", "d-1")])
    Accesses(log, clock).record([read(f"u-{number}", "d-1") for number in range(READ_BACK - 1)])
    Accesses(log, clock).record([read("ann", "d-1")])
    assert len(events(log)) == READ_BACK
    Accesses(log, clock).record([read("last", "d-1")])
    Accesses(log, clock).record([read("ann", "d-1")])
    assert len(events(log)) == READ_BACK + 2
