"""Entries are decided in the order in which they become known, up to the last moment."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from api.simulate.cast import COLLEAGUE, User, organisation_of
from api.simulate.chronicle import SOURCE, Chronicle, Entry
from domain.access import Role
from domain.lifecycle.commands import AddNote, ChangeOwner, OpenOpportunity
from domain.lifecycle.facts import NoteAdded, OpportunityOpened, OwnerChanged
from domain.process_files import built_in_processes
from domain.refusals import NotAllowed
from tests.scenario import day


def _user(name: str, role: Role = Role.SELLER) -> User:
    return User(name, name.title(), role, "DACH", COLLEAGUE, date(2020, 1, 1), unit="dach")


ANN, BO, MEI = _user("ann"), _user("bo"), _user("mei", Role.MANAGER)
OFFICE = organisation_of([ANN, BO, MEI], ())
OPENING = Entry(OpenOpportunity("Press line", "ann", "EUR"), ANN, day(0), day(0), 1)


def note(
    text: str, occurred: float, known: float, by: User = ANN, deputy: User | None = None
) -> Entry:
    return Entry(AddNote(text), by, day(occurred), day(known), 2, deputy)


def written(*entries: Entry, last: float = 100) -> Chronicle:
    chronicle = Chronicle("d-1", "S1-0001", built_in_processes(), OFFICE, day(last))
    chronicle.write(iter(entries))
    return chronicle


def notes(chronicle: Chronicle) -> list[str]:
    return [d.fact.text for d in chronicle.drafts if isinstance(d.fact, NoteAdded)]


def test_drafts_carry_the_times_of_the_story() -> None:
    draft = written(OPENING, note("said", 1, 2)).drafts[1]
    assert (draft.occurred_at, draft.known_at) == (day(1), day(2))
    assert (draft.actor, draft.source) == ("ann", SOURCE)


def test_each_command_has_an_id_and_each_scene_a_cause() -> None:
    drafts = written(OPENING, note("a", 1, 1), note("b", 1, 1)).drafts
    assert len({draft.command_id for draft in drafts}) == 3
    assert len({draft.correlation_id for draft in drafts}) == 2


def test_a_late_entry_waits_for_its_time() -> None:
    chronicle = written(
        OPENING, note("late", 1, 9, deputy=MEI), note("prompt", 2, 2), note("after", 10, 10)
    )
    assert notes(chronicle) == ["prompt", "late", "after"]
    assert [note.fact.text for note in chronicle.history.deal.life.notes] == [
        "late",
        "prompt",
        "after",
    ]


def test_late_entries_at_the_same_time_keep_their_order() -> None:
    entries = [note(text, 1, 9, deputy=MEI) for text in "abc"]
    assert notes(written(OPENING, *entries)) == ["a", "b", "c"]


def test_a_late_entry_is_made_by_the_deputy_once_the_writer_is_gone() -> None:
    handed_over = Entry(ChangeOwner("bo"), MEI, day(3), day(3), 3)
    chronicle = written(OPENING, note("late", 1, 9, deputy=MEI), handed_over)
    assert [draft.actor for draft in chronicle.drafts] == ["ann", "mei", "mei"]


def test_what_becomes_known_after_the_last_moment_is_not_there() -> None:
    chronicle = written(
        OPENING,
        note("in time", 4, 5),
        note("known too late", 4, 11, deputy=MEI),
        note("too late", 6, 11),
        note("never told", 7, 7),
        last=10,
    )
    assert notes(chronicle) == ["in time"]


def test_a_late_entry_before_the_last_moment_is_made_when_the_story_ends() -> None:
    assert notes(written(OPENING, note("late", 1, 9, deputy=MEI), last=10)) == ["late"]


def test_what_changes_nothing_is_not_recorded() -> None:
    assert len(written(OPENING, note("same", 1, 1), note("same", 2, 2)).drafts) == 2


def test_the_rules_decide() -> None:
    with pytest.raises(NotAllowed):
        written(OPENING, note("by a stranger", 1, 1, by=BO))


def test_the_story_sees_what_was_decided() -> None:
    """A story is told lazily: it goes on once the entry before is made."""
    chronicle = Chronicle("d-1", "S1-0001", built_in_processes(), OFFICE, day(100))
    seen: list[str | None] = []

    def story() -> Iterator[Entry]:
        yield OPENING
        seen.append(chronicle.history.deal.life.owner)
        yield Entry(ChangeOwner("bo"), MEI, day(1), day(1), 2)
        seen.append(chronicle.history.deal.life.owner)

    chronicle.write(story())
    assert seen == ["ann", "bo"]
    facts = [type(draft.fact) for draft in chronicle.drafts]
    assert facts == [OpportunityOpened, OwnerChanged]


def test_no_time_passes_between_occurring_and_the_end() -> None:
    last = day(10) + timedelta(microseconds=1)
    chronicle = Chronicle("d-1", "S1-0001", built_in_processes(), OFFICE, last)
    chronicle.write(iter([OPENING, note("on the last moment", 10, 10)]))
    assert notes(chronicle) == ["on the last moment"]
