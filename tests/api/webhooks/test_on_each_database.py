"""What has to hold on each database: nothing lost, nothing that was erased, one deliverer."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from api.erasing import find_person
from api.webhooks.backoff import DELAYS
from domain.people.commands import IdentifyStakeholder
from domain.webhooks import EnableWebhook, ReplayWebhook
from store.forgetting.erasure import erase
from store.outbox import Outbox, open_lease, open_outbox
from store.outbox.leases import LeaseLost
from store.outbox.outbox import LIVE
from store.outbox.rows import Attempt, Cursor, Owed, State
from tests.api.webhooks.receiving import Receiver
from tests.api.webhooks.selling import STARTED_AT, Selling, Steps
from tests.conftest import NewLocation


class Killed(BaseException):
    """The process ends here."""


def test_what_a_person_erased_meanwhile_was_is_never_sent(
    selling_on_each: Selling, receiver: Receiver
) -> None:
    selling, steps = selling_on_each, Steps(selling_on_each)
    receiver.answer = lambda _: 500
    selling.register(receiver.url)
    selling.record("d-1", IdentifyStakeholder("s-1", "Wanda Quist", person="p-9"))
    steps.work()
    assert b"Wanda Quist" in receiver.got[0].body
    erase(selling.store.log, find_person(selling.store, ["p-9"]), selling.intent())
    selling.clock.move(hours=1)
    steps.work()
    assert len(receiver.got) > 1
    assert not any(b"Quist" in got.body for got in receiver.got[1:])
    (again,) = [got for got in receiver.got[1:] if got.message == receiver.got[0].message]
    assert again.event["data"]["name"] == "[erased]"


def test_dead_then_replayed_then_gone_then_enabled(
    selling_on_each: Selling, receiver: Receiver
) -> None:
    selling, steps = selling_on_each, Steps(selling_on_each)
    receiver.answer = lambda _: 500
    selling.register(receiver.url)
    ids = selling.notes("d-1", 2)
    for delay in DELAYS:
        selling.clock.move(seconds=delay.total_seconds())
        steps.work()
    assert [one.attempts for one in selling.deliveries(state=State.DEAD)] == [10, 10]
    receiver.answer, receiver.got = (lambda _: 410), []
    selling.hook(ReplayWebhook("w", 0))
    for _ in range(3):
        steps.work()
    assert receiver.ids == ["deal:d-1@1"]
    receiver.answer, receiver.got = (lambda _: 200), []
    selling.hook(EnableWebhook("w"))
    selling.clock.move(seconds=6)
    for _ in range(3):
        steps.work()
    assert sorted(receiver.ids) == ["deal:d-1@1", *ids, "deal:d-2@1"]
    assert {one.state for one in selling.deliveries()} == {State.DELIVERED}


STEPS = ("put", "record", "drop", "begin")
WHEN = ("before", "after")


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_between_any_two_steps_loses_nothing(
    selling_on_each: Selling,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    when: str,
) -> None:
    """Killed at the second time that it comes to a step, each time a new one goes on."""
    selling = selling_on_each
    selling.register(receiver.url)
    ids = selling.notes("d-1", 2)
    selling.note("d-bo", "not for Anna")
    ids += selling.notes("d-2", 1)
    real = getattr(Outbox, step)
    times = 0

    def killing(*given: Any) -> Any:
        nonlocal times
        times += 1
        if times % 2 == 1 and when == "before":
            raise Killed
        real(*given)
        if times % 2 == 1:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Outbox, step, killing)
        killed = _work_until_done(selling)
    assert killed
    assert set(receiver.ids) == set(ids)
    assert list(dict.fromkeys(receiver.ids)) == ids
    assert {one.state for one in selling.deliveries()} == {State.DELIVERED}
    named = {got.id: got.message for got in receiver.got}
    assert all(named[got.id] == got.message for got in receiver.got)


def _work_until_done(selling: Selling) -> int:
    """Deliver with one deliverer after the other. Answers how many were killed."""
    killed = 0
    for _ in range(20):
        try:
            if Steps(selling).work() == 0:
                break
        except Killed:
            killed += 1
    return killed


def test_a_crash_between_the_answer_and_the_note_of_it_sends_it_again(
    selling_on_each: Selling, receiver: Receiver
) -> None:
    selling = selling_on_each
    selling.register(receiver.url)
    (sent,) = selling.notes("d-1", 1)
    crashing = Steps(selling)

    def killed(*_: object) -> None:
        raise Killed

    crashing.delivering._after = killed  # type: ignore[method-assign, assignment]
    with pytest.raises(Killed):
        crashing.work()
    Steps(selling).work()
    assert receiver.ids == [sent, sent]
    assert len({got.message for got in receiver.got}) == 1


def test_an_outbox_that_was_lost_begins_behind_the_registration(
    selling_on_each: Selling, receiver: Receiver
) -> None:
    selling = selling_on_each
    selling.register(receiver.url)
    ids = selling.notes("d-1", 2)
    Steps(selling).work()
    with selling.store.outbox._tables.transaction() as execute:
        for table in ("cursors", "deliveries", "attempts"):
            execute(f"DELETE FROM {table}", ())
    Steps(selling).work()
    assert receiver.ids == [*ids, *ids]
    assert len({got.message for got in receiver.got}) == 2


def test_a_cursor_of_another_log_is_not_believed(
    selling_on_each: Selling, receiver: Receiver
) -> None:
    """As after a restore of a backup that is older than the outbox."""
    selling = selling_on_each
    selling.register(receiver.url)
    ids = selling.notes("d-1", 2)
    ahead = Cursor("w", LIVE, 10_000, "deal:d-1@99 0123")
    selling.store.outbox.begin(ahead)
    Steps(selling).work()
    assert receiver.ids == ids


@pytest.fixture
def opened(new_location: NewLocation) -> Callable[[], Outbox]:
    location = new_location()
    return lambda: open_outbox(location)


def test_what_was_put_in_is_there_for_whoever_opens_it_next(
    opened: Callable[[], Outbox],
) -> None:
    first = opened()
    first.put(Cursor("w", LIVE, 5, "five"), [Owed(3, "m3"), Owed(5, "m5")], [], STARTED_AT)
    first.close()
    again = opened()
    assert [one.message for one in again.first_owed("w", 9)] == ["m3", "m5"]
    assert again.cursors("w") == [Cursor("w", LIVE, 5, "five")]
    assert again.standing("w").pending == 2
    assert again.deliveries("w", State.PENDING, 5, 9) == again.first_owed("w", 1)
    assert again.deliveries("v", None, None, 9) == []
    again.close()


def test_a_stretch_that_is_put_in_twice_is_sent_once(opened: Callable[[], Outbox]) -> None:
    outbox, cursor = opened(), Cursor("w", LIVE, 5, "five")
    outbox.put(cursor, [Owed(3, "m3")], [], STARTED_AT)
    (owed,) = outbox.first_owed("w", 9)
    sent = replace(owed, state=State.DELIVERED, tries=1, attempts=1, last_at=STARTED_AT)
    outbox.record(sent, Attempt(1, STARTED_AT, 200, None, 5))
    outbox.put(cursor, [Owed(3, "m3")], [], STARTED_AT)
    assert outbox.first_owed("w", 9) == []
    asked = Cursor("w", 9, 4, "four", until=4)
    outbox.put(asked, [Owed(3, "m3")], [], STARTED_AT)
    assert [one.attempts for one in outbox.first_owed("w", 9)] == [1]
    assert outbox.cursors("w") == [cursor]
    outbox.close()


def test_one_at_a_time_may_send(new_location: NewLocation) -> None:
    location = new_location()
    outbox = open_outbox(location)
    first, second = open_lease(location), open_lease(location)
    assert first.take()
    assert first.take()
    assert not second.take()
    cursor = Cursor("w", LIVE, 1, "one")
    with pytest.raises(LeaseLost):
        outbox.put(cursor, [Owed(1, "m1")], [], STARTED_AT, second.check)
    assert outbox.cursors("w") == []
    outbox.put(cursor, [Owed(1, "m1")], [], STARTED_AT, first.check)
    first.close()
    with pytest.raises(LeaseLost):
        outbox.put(cursor, [], [], STARTED_AT, first.check)
    assert second.take()
    second.close()
    outbox.close()


def test_old_deliveries_are_taken_out(selling_on_each: Selling, receiver: Receiver) -> None:
    selling, outbox = selling_on_each, selling_on_each.store.outbox
    selling.register(receiver.url)
    selling.notes("d-1", 2)
    Steps(selling).work()
    position = selling.deliveries()[0].position
    assert outbox.prune(State.DELIVERED, selling.clock.now, 10) == 0
    selling.clock.move(seconds=1)
    assert outbox.prune(State.DEAD, selling.clock.now, 10) == 0
    assert outbox.prune(State.DELIVERED, selling.clock.now, 1) == 1
    assert outbox.prune(State.DELIVERED, selling.clock.now, 10) == 1
    assert outbox.attempts("w", position) == []
