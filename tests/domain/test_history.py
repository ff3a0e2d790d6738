"""The envelope: streams, drafts, and the one order of folding."""

import gc
from datetime import timedelta

import pytest

from domain.deal import DealFact, replay
from domain.history import (
    Draft,
    Fact,
    Recorded,
    StreamKind,
    fold_order,
    in_fold_order,
    stored_name,
    stream_of,
)
from domain.lifecycle.facts import NoteAdded, OpportunityWon
from tests.scenario import day


def event(version: int, occurred: float) -> Recorded[Fact]:
    return Recorded(
        stream="deal:a:b",
        version=version,
        occurred_at=day(occurred),
        known_at=day(9),
        recorded_at=day(9),
        actor="ann",
        source="cli",
        command_id="c",
        correlation_id="c",
        fact=NoteAdded("Friendly"),
    )


def test_a_stream_is_named_by_kind_and_id() -> None:
    assert stream_of(StreamKind.DEAL, "a:b") == "deal:a:b"
    assert (event(1, 0).kind, event(1, 0).identifier) == ("deal", "a:b")
    kinds = "deal process user unit authority rates target access export session store webhook"
    assert [kind.value for kind in StreamKind] == kinds.split()


def test_an_event_names_the_type_of_its_fact() -> None:
    assert event(1, 0).type == stored_name(NoteAdded) == "note-added"
    assert (NoteAdded.schema_version, OpportunityWon.schema_version) == (1, 2)
    assert not event(1, 0).inferred


def test_a_type_without_a_stored_name_is_not_a_fact_to_store() -> None:
    class Nameless(Fact, frozen=True):
        pass

    with pytest.raises(AssertionError, match="Nameless has no stored name"):
        stored_name(Nameless)


def test_events_fold_in_order_of_occurrence_then_of_version() -> None:
    late, early, tied = event(1, 5), event(2, 1), event(3, 5)
    assert in_fold_order([tied, late, early]) == [early, late, tied]
    assert fold_order(late) == (day(5), 1)


def draft(**changes: object) -> Draft[DealFact]:
    usual: dict[str, object] = {
        "fact": NoteAdded("Friendly"),
        "occurred_at": day(1),
        "actor": "ann",
        "source": "import:crm",
        "command_id": "c-1",
        "correlation_id": "run-1",
    }
    return Draft(**(usual | changes))  # type: ignore[arg-type]


def test_a_draft_becomes_an_event_of_its_stream() -> None:
    recorded = draft(known_at=day(2), inferred=True).recorded("deal:d", 4, day(3))
    assert recorded == Recorded(
        stream="deal:d",
        version=4,
        occurred_at=day(1),
        known_at=day(2),
        recorded_at=day(3),
        actor="ann",
        source="import:crm",
        command_id="c-1",
        correlation_id="run-1",
        fact=NoteAdded("Friendly"),
        inferred=True,
    )


def test_what_says_nothing_else_was_known_when_recorded_and_not_inferred() -> None:
    recorded = draft().recorded("deal:d", 1, day(3) + timedelta(microseconds=1))
    assert recorded.known_at == recorded.recorded_at
    assert not recorded.inferred


def test_events_are_nothing_that_the_garbage_collector_walks() -> None:
    """Frozen, they form no cycles; a log in memory holds millions of them."""
    assert not gc.is_tracked(event(1, 1))
    assert not gc.is_tracked(event(1, 1).fact)
    assert not gc.is_tracked(replay(()))
