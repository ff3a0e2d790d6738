"""What is sent, how it is signed, and what becomes of it, with a clock that tests move."""

import sqlite3
from base64 import b64encode
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from msgspec import json
from standardwebhooks.webhooks import Webhook as Oracle
from standardwebhooks.webhooks import WebhookVerificationError

from api.webhooks.backoff import DELAYS, delay_before
from api.workspace import Workspace
from domain.access import Role
from domain.lifecycle.commands import AddNote, ChangeOwner
from domain.organisation import EndMembership
from domain.webhooks import (
    ChangeWebhook,
    DisableWebhook,
    EnableWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
    WebhookDisabled,
    WhyDisabled,
)
from store.outbox.rows import State
from store.webhook_secrets import make_secret
from tests.api.webhooks.receiving import Got, Receiver
from tests.api.webhooks.selling import Selling, Steps


@pytest.fixture(autouse=True)
def _today(selling: Selling, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library that checks signatures refuses old ones by the clock of this machine."""
    import standardwebhooks.webhooks as library

    class Now:
        @staticmethod
        def now(tz: Any = None) -> Any:
            return selling.clock.now

        fromtimestamp = __import__("datetime").datetime.fromtimestamp

    monkeypatch.setattr(library, "datetime", Now)


def verified(secret: bytes, got: Got) -> Any:
    """What the library of Standard Webhooks makes of a request."""
    return Oracle("whsec_" + b64encode(secret).decode()).verify(got.body, got.headers)


def test_an_event_is_sent_and_its_signature_holds(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    secret = selling.register(receiver.url)
    sent = selling.note("d-1", "Frau Li wants two")
    assert steps.work() == 1
    (got,) = receiver.got
    event = verified(secret, got)
    assert (event["id"], event["type"]) == (sent, "dealstate.note-added")
    assert event["data"]["text"] == "Frau Li wants two"
    assert got.path == "/hooks?token=t"
    assert got.headers["content-type"] == "application/cloudevents+json"
    (delivery,) = selling.deliveries()
    assert (delivery.state, delivery.message, delivery.status) == (
        State.DELIVERED,
        got.message,
        200,
    )
    with pytest.raises(WebhookVerificationError):
        verified(bytes(32), got)


def test_what_came_before_it_was_registered_is_not_sent(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    selling.note("d-1", "before")
    selling.register(receiver.url)
    assert steps.work() == 0


def test_only_types_and_deals_that_are_wanted(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    selling.register(receiver.url, types=("note-added",), deals=("d-2",))
    selling.note("d-1", "of another deal")
    wanted = selling.note("d-2", "of this one")
    selling.record("d-2", ChangeOwner("anna"))
    steps.work()
    assert receiver.ids == [wanted]
    selling.hook(ChangeWebhook("w", receiver.url))
    both = [selling.note("d-1", "now of all"), selling.note("d-2", "too")]
    steps.work()
    assert receiver.ids == [wanted, *both]


def test_only_what_its_owner_may_read_and_as_they_see_it(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    selling.join("uma", Role.ANALYST)
    selling.register(receiver.url)
    selling.register(receiver.url, webhook="of-uma", owner="uma")
    selling.note("d-bo", "not for Anna")
    steps.work()
    (got,) = receiver.got
    assert got.event["data"]["text"] == "[hidden]"
    assert selling.deliveries() == []


def test_rights_that_were_lost_hold_back_what_waits(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 500
    selling.register(receiver.url)
    selling.note("d-1", "waits")
    steps.work()
    assert len(receiver.got) == 1
    selling.configure(EndMembership("anna", Role.SELLER))
    selling.clock.move(hours=1)
    steps.work()
    assert len(receiver.got) == 1
    assert selling.deliveries() == []


def test_a_deal_that_changed_hands_is_not_sent_any_more(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    selling.register(receiver.url)
    selling.note("d-1", "of Anna")
    steps.take_in()
    selling.record("d-1", ChangeOwner("bo"))
    steps.work()
    assert receiver.got == []


def test_rotation_signs_with_both_secrets_for_a_while(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    old = selling.register(receiver.url)
    new = make_secret(selling.store.log.keys, "w", "s-2")
    assert new != old
    selling.hook(RotateWebhookSecret("w", "s-2", 2))
    selling.note("d-1", "within the overlap")
    steps.work()
    (got,) = receiver.got
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    assert verified(old, got) == verified(new, got)
    selling.clock.move(hours=2, seconds=1)
    selling.note("d-1", "after it")
    steps.work()
    late = receiver.got[1]
    verified(new, late)
    with pytest.raises(WebhookVerificationError):
        verified(old, late)


def test_a_secret_that_the_key_store_lacks_signs_nothing(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    selling.register(receiver.url)
    selling.hook(RotateWebhookSecret("w", "never-made", 2))
    selling.note("d-1", "unsigned")
    steps.work()
    assert receiver.got == []
    (delivery,) = selling.deliveries()
    assert (delivery.state, delivery.error) == (State.PENDING, "secret-lost")


def test_what_fails_comes_again_ever_later_until_it_is_dead(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 503
    selling.register(receiver.url)
    selling.note("d-1", "again and again")
    for number, delay in enumerate(DELAYS):
        if delay:
            selling.clock.move(seconds=delay.total_seconds() - 1)
            assert steps.work() == 0
            selling.clock.move(seconds=1)
        assert steps.work() == 1
        assert len(receiver.got) == number + 1
    (delivery,) = selling.deliveries(state=State.DEAD)
    assert (delivery.attempts, delivery.status, delivery.error) == (10, 503, "refused")
    assert [one.number for one in selling.attempts(delivery.position)] == list(range(1, 11))
    assert len({got.message for got in receiver.got}) == 1
    selling.clock.move(days=10)
    assert steps.work() == 0


def test_delays_grow_by_chance_and_by_what_the_receiver_asks() -> None:
    assert delay_before(1, 0.0) == timedelta(seconds=5)
    assert delay_before(1, 1.0) == timedelta(seconds=5.5)
    assert delay_before(1, 1.0, asked_seconds=60) == timedelta(seconds=60)
    assert delay_before(len(DELAYS), 0.0) is None


def test_a_receiver_may_ask_to_be_left_alone(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    receiver.answer = lambda _: (429, {"Retry-After": "3600"})
    selling.register(receiver.url)
    selling.note("d-1", "too many")
    steps.work()
    selling.clock.move(minutes=59)
    assert steps.work() == 0
    selling.clock.move(minutes=1)
    assert steps.work() == 1


def test_one_that_fails_holds_up_no_other(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    selling.register(receiver.url)
    ids = selling.notes("d-1", 3)
    receiver.answer = lambda got: 500 if got.id == ids[0] else 200
    steps.work()
    assert receiver.ids == ids
    states = [one.state for one in selling.deliveries()]
    assert states == [State.PENDING, State.DELIVERED, State.DELIVERED]


def test_a_receiver_that_is_down_gets_everything_once_it_is_up(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    selling.register(receiver.url)
    receiver.stop()
    ids = selling.notes("d-1", 3)
    steps.work()
    assert [one.error for one in selling.deliveries()] == ["not-reached"] * 3
    receiver.start()
    selling.clock.move(seconds=6)
    steps.work()
    assert receiver.ids == ids


def test_a_clock_that_was_set_back_keeps_nothing_waiting(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 500
    selling.register(receiver.url)
    selling.clock.move(days=400)
    selling.note("d-1", "in what was the present")
    steps.work()
    selling.clock.move(days=-400)
    assert steps.work() == 1
    receiver.answer = lambda _: 200
    selling.clock.move(minutes=6)
    assert steps.work() == 1
    assert [one.state for one in selling.deliveries()] == [State.DELIVERED]


def test_a_receiver_that_is_gone_is_sent_nothing_more(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 410
    selling.register(receiver.url)
    ids = selling.notes("d-1", 2)
    steps.work()
    assert receiver.ids == ids[:1]
    assert selling.facts()[-1] == WebhookDisabled("w", WhyDisabled.GONE)
    receiver.answer = lambda _: 200
    more = selling.note("d-1", "while it is disabled")
    selling.clock.move(hours=1)
    assert steps.work() == 0
    selling.hook(EnableWebhook("w"))
    steps.work()
    assert sorted(receiver.ids[1:]) == sorted([*ids, more])


def test_a_dead_delivery_is_sent_again_when_asked_for(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 500
    selling.register(receiver.url)
    ids = selling.notes("d-1", 2)
    for delay in DELAYS:
        selling.clock.move(seconds=delay.total_seconds())
        steps.work()
    dead = selling.deliveries(state=State.DEAD)
    assert len(dead) == 2
    receiver.answer, receiver.got = (lambda _: 200), []
    at = dead[0].position
    selling.hook(ReplayWebhook("w", at - 1, at))
    steps.work()
    steps.work()
    assert receiver.ids == ids[:1]
    after = selling.delivery(at)
    assert (after.state, after.tries, after.attempts) == (State.DELIVERED, 1, 11)


def test_everything_behind_a_position_is_sent_again_in_order(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    before = selling.notes("d-1", 2)
    selling.register(receiver.url)
    ids = selling.notes("d-1", 3)
    steps.work()
    selling.hook(ReplayWebhook("w", 0))
    steps.work()
    steps.work()
    opened = ["deal:d-1@1", "deal:d-2@1"]
    assert receiver.ids == [*ids, *opened, *before, *ids]
    names: dict[str, str] = {}
    for got in receiver.got:
        assert names.setdefault(got.id, got.message) == got.message
    assert steps.work() == 0


def test_a_disabled_one_goes_on_where_it_stopped(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    selling.register(receiver.url)
    first = selling.note("d-1", "first")
    steps.work()
    selling.hook(DisableWebhook("w"))
    second = selling.note("d-1", "second")
    assert steps.work() == 0
    selling.hook(EnableWebhook("w"))
    steps.work()
    assert receiver.ids == [first, second]


def test_the_outbox_holds_places_and_no_content(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    receiver.answer = lambda _: (500, {"X-Said": "Wanda"})
    selling.register(receiver.url)
    selling.note("d-1", "Wanda Quist")
    steps.work()
    if selling.store.location.database is None:
        for path in selling.store.location.outbox.parent.glob("*.outbox.db*"):
            assert b"Quist" not in path.read_bytes()
            assert b"Wanda" not in path.read_bytes()
    assert b"Quist" not in json.encode(selling.deliveries())


def test_a_webhook_is_named_in_its_message(
    selling: Selling, steps: Steps, receiver: Receiver
) -> None:
    """Two webhooks with one receiver: each message is of one of them."""
    selling.register(receiver.url)
    selling.register(receiver.url, webhook="v")
    selling.record("d-1", AddNote("to both"))
    steps.work()
    assert len({got.message for got in receiver.got}) == 2


def test_one_whose_address_was_lost_keeps_no_other_from_working(
    selling: Selling, receiver: Receiver
) -> None:
    """As where the key store is from an older backup than the log."""
    selling.register(receiver.url)
    ring, location = selling.store.log.keys, selling.store.location
    with closing(sqlite3.connect(ring.path)) as keys, keys:
        assert keys.execute("DELETE FROM keys WHERE kind = 'webhook'").rowcount == 1
    selling.register(receiver.url, webhook="v")
    sent = selling.note("d-1", "to one of them")
    selling.store.close()
    with Workspace.open(location, clock=selling.clock, doubtful_too=True) as selling.store:
        Steps(selling).work()
        assert receiver.ids == [sent]
        assert [one.error for one in selling.deliveries("w")] == ["address-lost"]
