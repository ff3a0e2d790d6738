"""Events of the feed are CloudEvents 1.0, of whatever type and with whatever text in them."""

from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.queries.events import EventFeed, EventQuery, known_types
from api.wire.events import CloudEvent, legal
from api.workspace import Workspace
from domain.access import Principal, Role
from domain.history import Fact, Recorded, stored_name
from store.events.codec import REGISTERED
from store.feed import Shown
from store.location import Location
from tests.api.feed.cloudevents import faults
from tests.api.small_store import EVENTS
from tests.golden.samples import samples

OPERATOR = Principal("op", frozenset({Role.OPERATOR}))


def as_json(shown: Shown, source: str = "dealstate/0a1b") -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(CloudEvent.of(shown, source)))
    return found


def shown(event: Recorded[Fact], position: int = 1) -> Shown:
    return Shown(position, event.stream, event.version, event.type, frozenset(), event)


def test_the_schema_refuses_what_is_no_cloudevent() -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
    assert faults(event) == []
    wrong: list[dict[str, Any]] = [
        {"specversion": "0.3"},
        {"id": ""},
        {"source": "a b"},
        {"time": "2026-01-01"},
        {"knownAt": "x"},
        {"known_at": "x"},
        {"position": 2**31},
        {"position": 1.5},
        {"extension": {"a": 1}},
        {"subject": "a\x00"},
        {"data": 1, "data_base64": "MQ=="},
    ]
    assert [one for one in wrong if not faults(event | one)] == []
    assert faults({name: event[name] for name in ("specversion", "id", "source")})


def test_every_event_of_a_store_is_one(small_store: str) -> None:
    with Workspace.open(Location.parse(small_store)) as store:
        feed = EventFeed(store)
        part = feed.part(lambda: OPERATOR, EventQuery(limit=1000))
        origin = store.notary.origin
    events = msgspec.json.decode(part.batch())
    assert len(events) == EVENTS
    assert [fault for event in events for fault in faults(event)] == []
    assert len({(event["source"], event["id"]) for event in events}) == EVENTS
    assert {event["source"] for event in events} == {origin}


@pytest.mark.parametrize("fact_type", REGISTERED, ids=stored_name)
def test_every_type_of_fact_is_told_as_one(fact_type: type[Fact]) -> None:
    for event in samples(fact_type):
        found = as_json(shown(event))
        assert faults(found) == []
        assert found["type"] == f"dealstate.{event.type}"
        assert found["data"] == msgspec.json.decode(msgspec.json.encode(event.fact))
        again = msgspec.json.decode(msgspec.json.encode(found), type=CloudEvent)
        assert again.data == event.fact


def test_an_event_that_cannot_be_read_is_told_as_one() -> None:
    found = as_json(Shown(7, "deal:d-1", 3, "note-added", frozenset(), None))
    assert faults(found) == []
    assert found == {
        "specversion": "1.0",
        "id": "deal:d-1@3",
        "source": "dealstate/0a1b",
        "type": "dealstate.note-added",
        "subject": "deal:d-1",
        "position": "7",
        "version": 3,
        "unreadable": True,
    }


def test_a_position_may_need_more_than_32_bits() -> None:
    assert faults(as_json(Shown(2**40, "deal:d-1", 3, "note-added", frozenset(), None))) == []


@given(st.text(min_size=1))
def test_any_text_becomes_one_that_cloudevents_allow(text: str) -> None:
    found = legal(text)
    event = {"specversion": "1.0", "id": found, "source": "/s", "type": "t", "subject": found}
    assert faults(event) == []
    assert unquote(found) == text


@given(st.text(), st.text())
def test_different_texts_stay_different(one: str, other: str) -> None:
    assert (legal(one) == legal(other)) == (one == other)


def test_most_texts_stay_as_they_are() -> None:
    assert legal("deal:压-1 ü") == "deal:压-1 ü"
    assert legal("100%\x07") == "100%25%07"


def test_all_types_have_a_name() -> None:
    assert len(known_types()) == len(REGISTERED)
    assert {"stage-advanced", "user-registered"} <= known_types()
