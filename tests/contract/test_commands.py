"""Commands are carried out once, on the state they meet, and leave events or nothing."""

from datetime import timedelta

import pytest

from domain.access import Principal, Role
from domain.history import Recorded, StreamKind
from domain.lifecycle.commands import AddNote, ChangeOwner, SetWinPlan
from domain.lifecycle.facts import WinPlanSet
from domain.refusals import CommandIdReused, DealNotOpened, NotAllowed, VersionConflict
from store.errors import StoreError
from store.handled import Handled
from store.location import Location
from store.log import DealLog
from store.recorder import Standing
from tests.contract.asking import ANN, BO, OCCURRED_AT, OPEN, OPENED, STARTED_AT, Ticking, intent


@pytest.fixture
def opened(log: DealLog) -> DealLog:
    """A log with one deal, d-1, that was opened."""
    log.handle("d-1", OPEN, intent("open"))
    return log


def test_the_first_command_opens_the_deal_at_version_1(log: DealLog) -> None:
    handled = log.handle("d-1", OPEN, intent("open"))
    (event,) = handled.events
    assert handled == Handled("deal:d-1", 1, (event,), repeated=False)
    assert event == Recorded(
        stream="deal:d-1",
        version=1,
        occurred_at=OCCURRED_AT,
        known_at=event.recorded_at,
        recorded_at=event.recorded_at,
        actor="ann",
        source="api",
        command_id="open",
        correlation_id="open",
        fact=OPENED,
        inferred=False,
    )
    assert event.recorded_at > STARTED_AT
    assert log.events_in("deal:d-1") == handled.events


def test_times_and_ids_of_the_intent_are_kept(opened: DealLog) -> None:
    asked = intent("note", BO, source="cli", known_at=OCCURRED_AT, correlation_id="visit-7")
    (event,) = opened.handle("d-1", AddNote("x"), asked).events
    assert (event.actor, event.source, event.command_id) == ("bo", "cli", "note")
    assert (event.known_at, event.correlation_id) == (OCCURRED_AT, "visit-7")


def test_a_command_meets_what_happened_before(opened: DealLog) -> None:
    handled = opened.handle("d-1", SetWinPlan("Win"), intent("plan"))
    assert handled.version == 2
    history = opened.history("d-1")
    assert history.version == 2
    assert history.deal.life.win_plan is not None
    assert opened.handle("d-1", SetWinPlan("Win"), intent("plan again")).events == ()


def test_a_refused_command_leaves_nothing_behind(log: DealLog) -> None:
    with pytest.raises(DealNotOpened):
        log.handle("d-1", AddNote("x"), intent("c-1"))
    assert (log.head(), log.streams(StreamKind.DEAL)) == (0, [])
    assert log.handle("d-1", OPEN, intent("c-1")).repeated is False


def test_a_repeated_command_gives_the_first_result(opened: DealLog) -> None:
    first = opened.handle("d-1", AddNote("x"), intent("c-1"))
    opened.handle("d-1", AddNote("y"), intent("c-2"))
    again = opened.handle("d-1", AddNote("x"), intent("c-1"))
    assert again == Handled(first.stream, first.version, first.events, repeated=True)
    assert opened.head() == 3


def test_a_repeated_command_gives_the_first_result_at_another_time(opened: DealLog) -> None:
    first = opened.handle("d-1", AddNote("x"), intent("c-1"))
    later = STARTED_AT
    again = opened.handle("d-1", AddNote("x"), intent("c-1", now=later, occurred_at=later))
    assert (again.events, again.repeated) == (first.events, True)


def test_a_command_told_of_another_time_is_another_command(opened: DealLog) -> None:
    early, late = OCCURRED_AT + timedelta(days=1), OCCURRED_AT + timedelta(days=2)
    told = intent("c-1", now=STARTED_AT, occurred_at=early)
    first = opened.handle("d-1", AddNote("x"), told)
    assert opened.handle("d-1", AddNote("x"), told).events == first.events
    with pytest.raises(CommandIdReused):
        opened.handle("d-1", AddNote("x"), intent("c-1", now=STARTED_AT, occurred_at=late))


@pytest.mark.parametrize("command_id", ["", "a\nb", "x" * 201])
def test_an_unusable_command_id_is_told(opened: DealLog, command_id: str) -> None:
    with pytest.raises(StoreError, match="command id"):
        opened.handle("d-1", AddNote("x"), intent(command_id))
    assert opened.head() == 1


def test_a_repeated_command_that_changed_nothing_still_changes_nothing(opened: DealLog) -> None:
    opened.handle("d-1", SetWinPlan("A"), intent("a"))
    first = opened.handle("d-1", SetWinPlan("A"), intent("again"))
    opened.handle("d-1", SetWinPlan("B"), intent("b"))
    again = opened.handle("d-1", SetWinPlan("A"), intent("again"))
    assert (first.version, first.events, first.repeated) == (2, (), False)
    assert (again.version, again.events, again.repeated) == (2, (), True)
    plan = opened.history("d-1").events[-1].fact
    assert plan == WinPlanSet("B")


def test_a_repeated_command_gives_the_first_result_after_a_restart(location: Location) -> None:
    with DealLog.create(location, Ticking()) as log:
        first = log.handle("d-1", OPEN, intent("open"))
        nothing = log.handle("d-1", SetWinPlan("A"), intent("a"))
        same = log.handle("d-1", SetWinPlan("A"), intent("same"))
    with DealLog.open(location, Ticking()) as log:
        assert log.handle("d-1", OPEN, intent("open")).events == first.events
        assert log.handle("d-1", SetWinPlan("A"), intent("a")).events == nothing.events
        assert log.handle("d-1", SetWinPlan("A"), intent("same")).version == same.version
        assert log.head() == 2


@pytest.mark.parametrize(
    ("deal", "command"),
    [("d-1", AddNote("y")), ("d-2", AddNote("x")), ("d-1", SetWinPlan("x"))],
    ids=["other content", "other deal", "other command"],
)
def test_a_command_id_stands_for_one_command(
    opened: DealLog, deal: str, command: AddNote | SetWinPlan
) -> None:
    opened.handle("d-1", AddNote("x"), intent("c-1"))
    with pytest.raises(CommandIdReused, match="c-1"):
        opened.handle(deal, command, intent("c-1"))
    assert opened.head() == 2


def test_command_ids_of_two_principals_are_apart(opened: DealLog) -> None:
    opened.handle("d-1", AddNote("x"), intent("c-1", ANN))
    assert opened.handle("d-1", AddNote("y"), intent("c-1", BO)).version == 3


def test_a_command_that_names_the_version_it_saw_is_carried_out_on_that_version_only(
    opened: DealLog,
) -> None:
    assert opened.handle("d-1", AddNote("x"), intent("c-1"), expected_version=1).version == 2
    with pytest.raises(VersionConflict, match="at version 2, not at 1"):
        opened.handle("d-1", AddNote("y"), intent("c-2"), expected_version=1)
    with pytest.raises(VersionConflict, match="at version 2, not at 3"):
        opened.handle("d-1", AddNote("y"), intent("c-2"), expected_version=3)
    assert opened.head() == 2


def test_a_repeated_command_is_not_a_conflict_with_itself(opened: DealLog) -> None:
    first = opened.handle("d-1", AddNote("x"), intent("c-1"), expected_version=1)
    again = opened.handle("d-1", AddNote("x"), intent("c-1"), expected_version=1)
    assert (again.events, again.repeated) == (first.events, True)


def test_an_opening_can_insist_on_being_the_first(log: DealLog) -> None:
    log.handle("d-1", OPEN, intent("c-1"), expected_version=0)
    with pytest.raises(VersionConflict):
        log.handle("d-1", OPEN, intent("c-2"), expected_version=0)


def test_another_process_is_noticed(location: Location) -> None:
    with DealLog.create(location, Ticking()) as ours, DealLog.open(location, Ticking()) as theirs:
        ours.handle("d-1", OPEN, intent("c-1"))
        assert theirs.handle("d-1", AddNote("theirs"), intent("c-2")).version == 2
        assert ours.handle("d-1", AddNote("ours"), intent("c-3")).version == 3
        assert ours.history("d-1") == theirs.history("d-1")


def test_a_loser_decides_again_on_what_the_winner_left(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race made certain: between reading and appending, someone else appends."""
    with DealLog.create(location, Ticking()) as ours, DealLog.open(location, Ticking()) as theirs:
        ours.handle("d-1", OPEN, intent("c-1"))
        reading = ours._streams.history

        def overtaken(stream: str, standing: Standing) -> object:
            history = reading(stream, standing)
            monkeypatch.setattr(ours._streams, "history", reading)
            theirs.handle("d-1", SetWinPlan("A"), intent("theirs"))
            return history

        monkeypatch.setattr(ours._streams, "history", overtaken)
        handled = ours.handle("d-1", SetWinPlan("A"), intent("ours"))
        assert (handled.version, handled.events) == (2, ())
        monkeypatch.setattr(ours._streams, "history", overtaken)
        theirs.handle("d-1", AddNote("x"), intent("x"))
        assert ours.handle("d-1", AddNote("y"), intent("y")).version == 4


def test_a_loser_that_named_its_version_is_refused(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DealLog.create(location, Ticking()) as ours, DealLog.open(location, Ticking()) as theirs:
        ours.handle("d-1", OPEN, intent("c-1"))
        reading = ours._streams.history

        def overtaken(stream: str, standing: Standing) -> object:
            history = reading(stream, standing)
            monkeypatch.setattr(ours._streams, "history", reading)
            theirs.handle("d-1", AddNote("theirs"), intent("theirs"))
            return history

        monkeypatch.setattr(ours._streams, "history", overtaken)
        with pytest.raises(VersionConflict, match="at version 2, not at 1"):
            ours.handle("d-1", AddNote("ours"), intent("ours"), expected_version=1)
        assert ours.head() == 2


def test_the_same_command_at_once_has_one_effect_and_one_reply(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DealLog.create(location, Ticking()) as ours, DealLog.open(location, Ticking()) as theirs:
        ours.handle("d-1", OPEN, intent("c-1"))
        reading = ours._streams.history
        first: list[Handled] = []

        def overtaken(stream: str, standing: Standing) -> object:
            history = reading(stream, standing)
            monkeypatch.setattr(ours._streams, "history", reading)
            first.append(theirs.handle("d-1", AddNote("x"), intent("same")))
            return history

        monkeypatch.setattr(ours._streams, "history", overtaken)
        second = ours.handle("d-1", AddNote("x"), intent("same"))
        assert first[0].repeated is False
        assert second == Handled(first[0].stream, 2, first[0].events, repeated=True)
        assert ours.head() == 2


def test_the_same_id_on_another_deal_at_once_is_refused(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DealLog.create(location, Ticking()) as ours, DealLog.open(location, Ticking()) as theirs:
        reading = ours._streams.history

        def overtaken(stream: str, standing: Standing) -> object:
            history = reading(stream, standing)
            monkeypatch.setattr(ours._streams, "history", reading)
            theirs.handle("d-2", OPEN, intent("same"))
            return history

        monkeypatch.setattr(ours._streams, "history", overtaken)
        with pytest.raises(CommandIdReused):
            ours.handle("d-1", OPEN, intent("same"))
        assert ours.streams(StreamKind.DEAL) == ["deal:d-2"]


@pytest.mark.parametrize("deal_id", ["", "x" * 201, "\0", "d\0"])
def test_a_deal_has_an_id_of_reasonable_length_without_nul(log: DealLog, deal_id: str) -> None:
    with pytest.raises(StoreError, match="is not the name of a stream"):
        log.handle(deal_id, OPEN, intent("c-1"))
    with pytest.raises(StoreError, match="is not the name of a stream"):
        log.history(deal_id)


def test_ids_are_taken_as_they_are(log: DealLog) -> None:
    """Ids are opaque: nothing in them is read as SQL, a pattern, a path or another stream."""
    ids = ["d-1", "D-1", "d-1 ", "d:1", "%", "_", "'; --", "../x", "é", "e\u0301", "\x01", "{}"]
    for number, deal_id in enumerate(ids):
        assert log.handle(deal_id, OPEN, intent(f"c-{number}")).version == 1
    assert log.streams(StreamKind.DEAL) == [f"deal:{deal_id}" for deal_id in ids]
    assert all(log.history(deal_id).version == 1 for deal_id in ids)


def test_a_fact_that_cannot_be_stored_leaves_nothing(opened: DealLog) -> None:
    with pytest.raises(StoreError, match="cannot be stored"):
        opened.handle("d-1", AddNote("x" * 20_001), intent("c-1"))
    assert opened.head() == 1
    assert opened.handle("d-1", AddNote("x"), intent("c-1")).repeated is False


SELLER = Principal("kim", frozenset({Role.SELLER}))


def test_a_right_that_was_lost_answers_no_known_command_id(opened: DealLog) -> None:
    opened.handle("d-1", AddNote("x"), intent("c-1", ANN))
    without = Principal("ann", frozenset({Role.SELLER}))
    opened.handle("d-1", ChangeOwner("bo"), intent("hand-over"))
    for command_id in ("c-1", "c-2"):
        for text in ("x", "y"):
            with pytest.raises(NotAllowed, match="may not record here"):
                opened.handle("d-1", AddNote(text), intent(command_id, without))


def test_whoever_opened_a_deal_for_another_may_repeat_that(log: DealLog) -> None:
    first = log.handle("d-1", OPEN, intent("open", SELLER))
    assert log.handle("d-1", OPEN, intent("open", SELLER)).events == first.events
    with pytest.raises(NotAllowed):
        log.handle("d-1", OPEN, intent("open", Principal("kim")))
