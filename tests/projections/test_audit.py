"""The audit trail: nothing disappears from it, and it says what each event changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest

from domain.corrections import EventWithdrawn
from domain.deal import DealEvent, evolve
from domain.lifecycle.facts import NoteAdded, OpportunityWon, OwnerChanged
from domain.stages.facts import ForecastRevised, StageAdvanced
from projections import frames
from projections.audit import AuditEntry, EntryQuery, find_entries, trail
from projections.changes import Change
from projections.engine.keeping_up import catch_up
from projections.views import Views
from store.log import DealLog
from store.tail import Tail
from tests.projections.histories import EPOCH, RECORDED_AT
from tests.projections.stores import append, draft, events_of, register
from tests.scenario import opened, usd


def trail_of(events: Sequence[DealEvent]) -> list[AuditEntry]:
    return trail(events, {event.version: 100 + event.version for event in events})


def worth(amount: str) -> ForecastRevised:
    return ForecastRevised(amount=usd(amount))


HISTORY = events_of(
    draft(opened(), 0, 0, command_id="open"),
    draft(worth("100"), 2, 2, by="bo", command_id="first"),
    draft(StageAdvanced("contact", "proposal"), 4, 4, command_id="move"),
    draft(worth("200"), 6, 6, command_id="second"),
    draft(worth("150"), 3, 8, source="cli", command_id="late"),
    draft(EventWithdrawn((4,), "a typing error"), 9, 9, by="mei", command_id="undo"),
)


# One deal.


def test_every_event_is_there_with_its_circumstances() -> None:
    entry = trail_of(HISTORY)[4]
    assert entry == AuditEntry(
        version=5,
        position=105,
        type="forecast-revised",
        occurred_at=EPOCH + timedelta(days=3),
        known_at=EPOCH + timedelta(days=8),
        recorded_at=RECORDED_AT + timedelta(seconds=5),
        actor="ann",
        source="cli",
        command_id="late",
        correlation_id="late",
        inferred=False,
        what="amount 100.00 USD → 150.00 USD",
        changes=[Change("amount", "100.00 USD", "150.00 USD")],
        withdrawn_by=None,
        withdraws=[],
        late=True,
        fact=worth("150"),
    )
    assert [entry.version for entry in trail_of(HISTORY)] == [1, 2, 3, 4, 5, 6]


def test_a_withdrawn_event_stays_as_it_was_recorded() -> None:
    entries = trail_of(HISTORY)
    # The late entry had not been made: the amount went from 100 to 200.
    assert entries[3].changes == [Change("amount", "100.00 USD", "200.00 USD")]
    assert (entries[3].what, entries[3].withdrawn_by) == ("amount 100.00 USD → 200.00 USD", 6)
    assert (entries[5].withdraws, entries[5].withdrawn_by) == ([4], None)
    assert (entries[5].actor, entries[5].what) == ("mei", "withdrew event 4: a typing error")
    assert [entry.withdrawn_by for entry in entries] == [None, None, None, 6, None, None]


def test_what_was_entered_late_is_marked() -> None:
    assert [entry.late for entry in trail_of(HISTORY)] == [False, False, False, False, True, False]


def test_events_of_one_instant_are_not_late() -> None:
    events = events_of(draft(opened(), 0), draft(worth("1"), 2), draft(worth("2"), 2))
    assert [entry.late for entry in trail_of(events)] == [False, False, False]


def test_changes_are_those_from_the_state_before_by_time() -> None:
    changes = [entry.changes for entry in trail_of(HISTORY)]
    assert changes[1] == [Change("amount", None, "100.00 USD")]
    assert changes[2] == [Change("stage", "contact", "proposal")]
    assert changes[5] == []
    assert {change.field: change.after for change in changes[0]} == {
        "status": "open",
        "name": "Press line",
        "process": "short/1",
        "stage": "contact",
        "owner": "ann",
    }


def test_a_command_that_was_withdrawn_whole() -> None:
    events = events_of(
        draft(opened(), 0),
        draft(OwnerChanged("bo"), 1, command_id="both"),
        draft(OwnerChanged("mei"), 1, command_id="both"),
        draft(EventWithdrawn((2, 3), "…"), 2),
        draft(OwnerChanged("zoe"), 3),
    )
    entries = trail_of(events)
    assert [entry.withdrawn_by for entry in entries] == [None, 4, 4, None, None]
    assert entries[1].changes == [Change("owner", "ann", "bo")]
    assert entries[2].changes == [Change("owner", "bo", "mei")]
    assert entries[3].withdraws == [2, 3]
    assert entries[4].changes == [Change("owner", "ann", "zoe")]


def test_an_event_recorded_after_another_was_withdrawn_is_shown_without_it() -> None:
    events = events_of(
        draft(opened(), 0),
        draft(worth("100"), 1),
        draft(EventWithdrawn((2,), "…"), 2),
        draft(worth("300"), 1.5),
        draft(EventWithdrawn((4,), "…"), 3),
    )
    entries = trail_of(events)
    assert entries[1].changes == [Change("amount", None, "100.00 USD")]
    assert entries[3].changes == [Change("amount", None, "300.00 USD")]
    assert (entries[3].late, entries[3].withdrawn_by) == (True, 5)


def test_a_trail_of_nothing_is_empty() -> None:
    assert trail([], {}) == []


def test_the_work_grows_with_the_length_of_the_history() -> None:
    """Not with its square, though events of it are late or withdrawn here and there."""

    def work(length: int) -> int:
        drafts = [draft(worth(str(number)), number) for number in range(1, length)]
        events = events_of(
            draft(opened(), 0),
            *drafts,
            draft(worth("7"), length - 5),
            draft(EventWithdrawn((length - 2,), "…"), length),
            draft(EventWithdrawn((length // 2,), "…"), length + 1),
        )
        with patch.object(frames, "evolve", wraps=evolve) as evolving:
            assert len(trail_of(events)) == length + 3
        return evolving.call_count

    assert work(400) < 2.5 * work(200)


# All streams.


@pytest.fixture
def written(log: DealLog, views: Views) -> Views:
    append(log, "a", draft(opened(), 0, by="ann"), draft(NoteAdded("…"), 1, by="bo"))
    register(log, "bo", "Bo")
    append(log, "b", draft(opened(), 0, 3, by="bo", source="import:crm"))
    append(log, "a", draft(OpportunityWon(), 5, by="ann"))
    catch_up(views, Tail(log))
    return views


def entries_in(views: Views, **query: object) -> list[tuple[str, int]]:
    with views.reading() as connection:
        rows = find_entries(connection, EntryQuery(**query))  # type: ignore[arg-type]
    assert [row["position"] for row in rows] == sorted(row["position"] for row in rows)
    return [(row["stream"], row["version"]) for row in rows]


ALL = [
    ("process:short", 1),
    ("process:short", 2),
    ("deal:a", 1),
    ("deal:a", 2),
    ("user:bo", 1),
    ("deal:b", 1),
    ("deal:a", 3),
]


def test_all_streams_are_in_the_order_of_the_log(written: Views) -> None:
    assert entries_in(written) == ALL


def test_the_entries_of_an_actor(written: Views) -> None:
    assert entries_in(written, actor="bo") == [("deal:a", 2), ("deal:b", 1)]
    assert entries_in(written, actor="nobody") == []


def recorded(number: int) -> datetime:
    """When the log recorded its n-th append."""
    return RECORDED_AT + timedelta(seconds=number)


def test_the_entries_of_a_period_ends_included(written: Views) -> None:
    assert entries_in(written, recorded_from=recorded(3)) == ALL[4:]
    assert entries_in(written, recorded_until=recorded(3)) == ALL[:5]
    assert entries_in(written, recorded_from=recorded(2), recorded_until=recorded(4)) == ALL[2:6]
    assert entries_in(written, recorded_from=recorded(3), actor="bo") == [("deal:b", 1)]
    almost = recorded(3) + timedelta(microseconds=1)
    assert entries_in(written, recorded_from=almost) == ALL[5:]


def test_entries_come_in_pages(written: Views) -> None:
    assert entries_in(written, limit=3) == ALL[:3]
    assert entries_in(written, after=3, limit=3) == ALL[3:6]
    assert entries_in(written, after=6) == ALL[6:]
    assert entries_in(written, after=7) == []
    assert entries_in(written, actor="bo", after=4) == [("deal:b", 1)]


def test_a_row_of_the_index_holds_the_envelope(written: Views) -> None:
    with written.reading() as connection:
        row = find_entries(connection, EntryQuery(after=5, limit=1))[0]
    assert row == {
        "position": 6,
        "stream": "deal:b",
        "version": 1,
        "type": "opportunity-opened",
        "actor": "bo",
        "source": "import:crm",
        "occurred_at": 1772442000000000,
        "known_at": 1772442000000000 + 3 * 86_400_000_000,
        "recorded_at": row["recorded_at"],
        "command_id": "c",
        "inferred": False,
    }
