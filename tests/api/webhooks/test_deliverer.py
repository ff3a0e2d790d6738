"""The deliverer at work in its threads: waking, turns, several of them, stopping."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from api.webhooks.deliverer import Deliverer, deliverer_of
from api.webhooks.sending import Sender
from api.workspace import Workspace
from domain.webhooks import DisableWebhook
from store.location import Location
from store.outbox.rows import State
from tests.api.webhooks.receiving import Got, Receiver
from tests.api.webhooks.selling import LOCAL, Selling
from tests.conftest import NewLocation

PATIENCE_SECONDS = 10.0


def eventually(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < give_up, "it did not come to that"
        time.sleep(0.02)


@pytest.fixture
def selling(new_location: NewLocation) -> Iterator[Selling]:
    """On each database, with the clock of this machine."""
    selling = Selling(new_location(), lambda: datetime.now(UTC))
    yield selling
    selling.store.close()


def deliverer(store: Workspace, seconds: float = 15.0) -> Deliverer:
    return Deliverer(store, Sender(LOCAL, seconds=seconds), chance=lambda: 0.0)


def test_it_is_woken_by_what_is_recorded(selling: Selling, receiver: Receiver) -> None:
    with deliverer(selling.store) as working:
        selling.register(receiver.url)
        began = time.monotonic()
        ids = selling.notes("d-1", 5)
        eventually(lambda: len(receiver.got) == 5)
        assert time.monotonic() - began < 5
    assert receiver.ids == ids
    assert working.has_ended


def test_a_receiver_that_hangs_keeps_no_other_waiting(selling: Selling, receiver: Receiver) -> None:
    let_go = threading.Event()
    hanging = Receiver(lambda _: 200 if let_go.wait(20) else 500).start()
    selling.register(hanging.url, webhook="hanging")
    selling.register(receiver.url)
    with deliverer(selling.store):
        first = selling.notes("d-1", 3)
        eventually(lambda: len(receiver.got) == 3)
        assert hanging.ids == first[:1]
        let_go.set()
        eventually(lambda: len(hanging.got) == 3)
    hanging.stop()
    assert receiver.ids == hanging.ids == first


def test_first_attempts_keep_their_order_while_others_are_tried_again(
    selling: Selling, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = timedelta(seconds=0.2)
    monkeypatch.setattr("api.webhooks.backoff.DELAYS", (timedelta(), soon, soon, soon))
    failed: set[str] = set()

    def every_other_fails_once(got: Got) -> int:
        if int(got.id.rpartition("@")[2]) % 2 or got.message in failed:
            return 200
        failed.add(got.message)
        return 503

    receiver.answer = every_other_fails_once
    selling.register(receiver.url)
    with deliverer(selling.store):
        ids = selling.notes("d-1", 8)
        eventually(lambda: len(receiver.got) == 8 + len(failed) and len(failed) == 4)
        eventually(lambda: {one.state for one in selling.deliveries()} == {State.DELIVERED})
    assert list(dict.fromkeys(receiver.ids)) == ids


def test_of_two_one_delivers_and_the_other_takes_over(selling: Selling, receiver: Receiver) -> None:
    selling.register(receiver.url)
    with ExitStack() as stack:
        other = stack.enter_context(Workspace.open(selling.store.location))
        first = deliverer(selling.store).start()
        eventually(lambda: first._delivers is True)
        second = deliverer(other).start()
        eventually(lambda: second._delivers is False)
        ids = selling.notes("d-1", 5)
        eventually(lambda: len(receiver.got) == 5)
        first.stop()
        assert first.has_ended
        ids += selling.notes("d-2", 5)
        eventually(lambda: len(receiver.got) == 10)
        second.stop()
    assert receiver.ids == ids


def test_it_stops_while_a_receiver_hangs_and_sends_that_again(
    selling: Selling, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.webhooks.deliverer.STOP_SECONDS", 0.3)
    let_go = threading.Event()
    receiver.answer = lambda _: 200 if let_go.wait(20) else 500
    selling.register(receiver.url)
    (sent,) = selling.notes("d-1", 1)
    working = deliverer(selling.store).start()
    eventually(lambda: len(receiver.got) == 1)
    began = time.monotonic()
    working.stop()
    assert time.monotonic() - began < 2
    assert not working.has_ended
    # It has given up the right to deliver, so what it hears now is not kept.
    eventually(working._ended.is_set)
    let_go.set()
    eventually(lambda: working.has_ended)
    (delivery,) = selling.deliveries()
    assert delivery.state is State.PENDING
    with deliverer(selling.store):
        eventually(lambda: selling.deliveries()[0].state is State.DELIVERED)
    assert receiver.ids == [sent, sent]


def test_disabling_ends_it_within_a_turn(selling: Selling, receiver: Receiver) -> None:
    selling.register(receiver.url)
    ids = selling.notes("d-1", 5)

    def disable(got: Got) -> int:
        if got.id == ids[1]:
            selling.hook(DisableWebhook("w"))
        return 200

    receiver.answer = disable
    with deliverer(selling.store):
        eventually(lambda: len(receiver.got) == 2)
        time.sleep(0.3)
    assert receiver.ids == ids[:2]


def test_a_store_without_its_keys_delivers_nothing(tmp_path: object) -> None:
    location = Location.beside(tmp_path / "deals.db")  # type: ignore[operator]
    Workspace.create(location).close()
    with Workspace.open(Location.parse(str(location), "none")) as store:
        with deliverer_of(store, Sender(LOCAL)) as nothing:
            assert nothing is None
        assert not store.location.outbox.exists()
