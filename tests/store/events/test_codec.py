"""Events have one written form and come back from it as they were."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.deal import FACT_TYPES
from domain.history import Fact, Recorded, stored_name
from domain.lifecycle.facts import NoteAdded, OpportunityOpened, OpportunityWon
from domain.stages.facts import ForecastRevised
from domain.values import Money, ProcessRef
from store.errors import NotStorable, UnreadableEvent
from store.events.codec import REGISTERED, Codec, codec
from tests.stored import to_event, to_row
from tests.strategies import events, facts_of, moments

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def recorded(fact: Fact, **changes: Any) -> Recorded[Fact]:
    usual: dict[str, Any] = {
        "stream": "deal:d-1",
        "version": 3,
        "occurred_at": NOON,
        "known_at": NOON,
        "recorded_at": NOON,
        "actor": "ann",
        "source": "api",
        "command_id": "c-1",
        "correlation_id": "c-0",
        "fact": fact,
    }
    return Recorded(**(usual | changes))


# What is around the fact is the same for all kinds, so some thousand envelopes are tried anyway.
@pytest.mark.parametrize("fact_type", REGISTERED, ids=stored_name)
@settings(max_examples=settings().max_examples // 3)
@given(data=st.data())
def test_every_event_comes_back_as_it_was(fact_type: type[Fact], data: st.DataObject) -> None:
    event = data.draw(events(facts_of(fact_type)))
    row = to_row(event)
    back = to_event(*row)
    assert back == event
    assert to_row(back) == row


def test_the_written_form_byte_for_byte() -> None:
    won = OpportunityWon(
        value=Money.parse("1054.5", "USD"),
        signed_on=NOON.date(),
        contract_reference='Frame "A"\n',
    )
    event = recorded(won, known_at=NOON + timedelta(microseconds=120), inferred=True)
    state = (
        b'{"stream":"deal:d-1","version":3,"schema":2,'
        b'"occurred_at":"2026-11-21T12:00:00.000000Z",'
        b'"known_at":"2026-11-21T12:00:00.000120Z",'
        b'"recorded_at":"2026-11-21T12:00:00.000000Z",'
        b'"actor":"ann","source":"api","command_id":"c-1","correlation_id":"c-0","inferred":true,'
        b'"fact":{"type":"opportunity-won","value":{"amount":"1054.50","currency":"USD"},'
        b'"signed_on":"2026-11-21","contract_reference":"Frame \\"A\\"\\n"}}'
    )
    assert to_row(event) == ("deal:d-1", 3, "opportunity-won@2", state)


def test_defaults_are_left_out_and_nulls_that_say_something_are_kept() -> None:
    opened = OpportunityOpened("D", ProcessRef("p", 1), "s", "USD", "ann", products=())
    assert to_row(recorded(opened))[3].endswith(
        b'"fact":{"type":"opportunity-opened","name":"D","process":{"id":"p","version":1},'
        b'"stage":"s","currency":"USD","owner":"ann"}}'
    )
    revised = ForecastRevised(amount=None)
    assert to_row(recorded(revised))[3].endswith(
        b'"fact":{"type":"forecast-revised","amount":null}}'
    )


@given(moment=moments)
def test_times_are_written_in_utc_with_six_digits(moment: datetime) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(hours=5, minutes=45)))
    state = to_row(recorded(NoteAdded("x"), occurred_at=elsewhere))[3]
    text = msgspec.json.decode(state)["occurred_at"]
    assert text == f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


@given(minor=st.integers(0, 10**17 - 1))
def test_amounts_are_written_plainly_with_all_minor_digits(minor: int) -> None:
    revised = ForecastRevised(amount=Money.from_minor(minor, "USD"))
    fact = msgspec.json.decode(to_row(recorded(revised))[3])["fact"]
    assert fact["amount"] == {
        "amount": f"{minor // 100}.{minor % 100:02d}",
        "currency": "USD",
    }


def test_a_time_without_its_zone_is_not_storable() -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(NotStorable, match="has no time zone"):
        to_row(recorded(NoteAdded("x"), occurred_at=naive))


def test_a_time_before_the_first_year_is_not_storable() -> None:
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))
    with pytest.raises(NotStorable, match="out of range"):
        to_row(recorded(NoteAdded("x"), occurred_at=first))


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        (NoteAdded(""), "length >= 1"),
        (NoteAdded("x" * 20_001), "length <= 20000"),
        (NoteAdded("half \ud800 of a pair"), "surrogates not allowed"),
        (NoteAdded(7), "got `int`"),  # type: ignore[arg-type]
        (OpportunityWon(value=Decimal(7)), "got `str`"),  # type: ignore[arg-type]
        (NoteAdded(object()), "unsupported"),  # type: ignore[arg-type]
    ],
)
def test_what_could_not_be_read_back_is_not_storable(fact: Fact, reason: str) -> None:
    with pytest.raises(NotStorable, match=reason) as caught:
        to_row(recorded(fact))
    assert "nothing was recorded" in str(caught.value)


class Unregistered(Fact, tag="unregistered", frozen=True):
    """A type that no codec knows."""


def test_facts_of_unregistered_types_are_not_storable() -> None:
    with pytest.raises(NotStorable, match="Unregistered is not a registered type"):
        to_row(recorded(Unregistered()))


@pytest.mark.parametrize(
    ("topic", "state", "reason"),
    [
        ("note-added@1", b"{", "truncated"),
        ("note-added@1", b"\xff", "malformed"),
        ("note-added@1", b"{}", "missing required field"),
        ("note-added@2", b"{}", "does not know the type 'note-added@2'"),
        ("note-added@0", b"{}", "does not know the type"),
        ("note-added@x", b"{}", "invalid literal"),
        ("never-heard-of@1", b"{}", "does not know the type"),
        ("opportunity-won@1", b"{}", "fact"),
        ("opportunity-won@1", b'{"fact":7}', "no attribute 'items'"),
        ("opportunity-won@1", b"7", "not subscriptable"),
    ],
)
def test_bytes_that_cannot_be_read_are_reported_with_their_place(
    topic: str, state: bytes, reason: str
) -> None:
    with pytest.raises(UnreadableEvent, match=reason) as caught:
        to_event("deal:d-9", 4, topic, state)
    assert (caught.value.stream, caught.value.version) == ("deal:d-9", 4)
    assert "version 4 of deal:d-9" in str(caught.value)


@pytest.mark.parametrize(("stream", "version"), [("deal:other", 3), ("deal:d-1", 4)])
def test_bytes_of_another_place_are_not_read(stream: str, version: int) -> None:
    _, _, topic, state = to_row(recorded(OpportunityWon()))
    with pytest.raises(UnreadableEvent, match="its bytes are of version 3 of deal:d-1"):
        to_event(stream, version, topic, state)


def test_a_field_of_a_newer_release_is_not_passed_over() -> None:
    _, _, topic, state = to_row(recorded(OpportunityWon(share_percent=40)))
    newer = state.replace(b'"share_percent"', b'"mood":1,"share_percent"')
    with pytest.raises(UnreadableEvent, match="unknown field `mood`"):
        to_event("deal:d-1", 3, topic, newer)


def test_every_fact_of_a_deal_is_registered() -> None:
    assert set(FACT_TYPES) < set(REGISTERED)


def test_the_codec_is_built_once() -> None:
    assert codec() is codec()
    assert isinstance(codec(), Codec)
