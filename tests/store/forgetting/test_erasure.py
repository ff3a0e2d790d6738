"""Erasing a person: gone everywhere, for good, in every process, and everything else stays."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.access import Principal, Role
from domain.corrections import WithdrawEvent
from domain.history import ERASED
from domain.intent import Intent
from domain.lifecycle.commands import AddNote
from domain.lifecycle.facts import NoteAdded
from domain.people.commands import IdentifyStakeholder, ReviseStakeholder
from domain.people.facts import StakeholderIdentified, StakeholderRevised, SubjectErased
from domain.refusals import NotAllowed, PersonErased, Refusal
from projections.engine.keeping_up import catch_up
from projections.engine.rebuilding import rebuild
from projections.views import open_views
from store.errors import StoreBusy
from store.events.writing import Batch
from store.forgetting.appearances import Appearance, Person, everywhere
from store.forgetting.erasure import At, Erasure, Mention, erase, finish_pending, survey
from store.location import Location
from store.log import DealLog
from store.notary import Notary
from store.seals.verify import ReceiptFinding, Trust, verify_text
from store.tail import Tail
from tests.contract.asking import ANN, OPEN, Ticking, draft, intent
from tests.shared_data import REPOSITORY
from tests.store.people import (
    EARLY,
    GONE,
    NUMBER,
    ON_LEAVE,
    PERSON,
    PERSONAL,
    PLACES,
    TOLD,
    WAITING,
    facts,
    tell,
    told_log,
)

STEPS = ("begun", "appended", "cleared", "purged", "finished")


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return Location.beside(tmp_path / "x.db")


@pytest.fixture
def log(location: Location) -> Iterator[DealLog]:
    with told_log(location) as log:
        yield log


def now(log: DealLog, by: Principal = ANN) -> Intent:
    moment = log.now()
    return intent("erase-1", by, now=moment, occurred_at=moment)


class Killed(BaseException):
    """Ends an erasure where a crash would."""


def killed_at(step: str) -> At:
    def at(done: str) -> None:
        if done == step:
            raise Killed

    return at


def is_forgotten(log: DealLog) -> None:
    """Nothing of Nadja can be read, and everything else can."""
    d1, d2 = facts(log, "d-1"), facts(log, "d-2")
    assert isinstance(d1[2], StakeholderIdentified)
    assert (d1[2].name, d1[2].title, d1[2].person) == (ERASED, ERASED, PERSON)
    assert not any(one.value == NUMBER for one in d1[2].contact_points)
    assert d1[5].summary == ERASED  # type: ignore[attr-defined]
    assert d1[3] == StakeholderIdentified("wang", "Wang Wei", title="Engineer")
    assert d1[6:8] == [NoteAdded(ON_LEAVE), NoteAdded(ERASED)]
    assert d2[1] == StakeholderIdentified("buyer", ERASED, person=PERSON)
    assert [event.fact for event in log.history("d-1").events] == d1
    assert log.history("d-1").deal.people.stakeholders[0].name == ERASED
    assert log.history("d-2").deal.people.stakeholders[0].erased is not None


def test_a_survey_changes_nothing(log: DealLog) -> None:
    before = facts(log, "d-1")
    planned = survey(log, everywhere(log, [PERSON]))
    assert planned.gone == GONE
    assert planned.mentions == (Mention("d-1", 2, "note-added", "text"),)
    assert facts(log, "d-1") == before
    assert log.head() == len(TOLD)
    assert log.keys.pending_erasures() == ()


def test_a_person_is_forgotten_on_every_deal(log: DealLog) -> None:
    done = erase(log, everywhere(log, [PERSON]), now(log), "asked by letter")
    is_forgotten(log)
    assert done.gone == GONE
    assert (done.appended, done.keys) == (2, 1)
    assert facts(log, "d-1")[-1] == SubjectErased("nadja", "asked by letter")
    assert facts(log, "d-2")[-1] == SubjectErased("buyer", "asked by letter")
    assert facts(log, "d-1")[1] == NoteAdded(EARLY)


def test_commands_that_told_of_them_are_cleared_and_repeat_quietly(log: DealLog) -> None:
    done = erase(log, everywhere(log, [PERSON]), now(log))
    cleared = {row.command_id for row in log.records.commands() if row.fingerprint is None}
    assert cleared == {f"told-{number}" for number in (2, 4, 5, 7, 9, 10)}
    assert done.commands == len(cleared)
    repeated = log.handle("d-1", AddNote("other"), intent("told-7"))
    assert repeated.repeated
    assert repeated.events[0].fact == NoteAdded(ERASED)


def test_an_erasure_is_done_once(log: DealLog) -> None:
    erase(log, everywhere(log, [PERSON]), now(log))
    head = log.head()
    again = erase(log, everywhere(log, [PERSON]), now(log))
    assert (again.gone, again.appended, again.keys, again.commands) == ({}, 0, 0, 0)
    assert log.head() == head


def test_where_the_rules_refuse_the_right_to_be_forgotten_goes_first(log: DealLog) -> None:
    more = (
        ("d-3", OPEN),
        ("d-3", IdentifyStakeholder("n", "Nadja", person=PERSON)),
        ("d-3", WithdrawEvent(2, "recorded in error")),
    )
    tell(log, more, "more")
    assert erase(log, everywhere(log, [PERSON]), now(log)).appended == 3
    assert facts(log, "d-3")[-1] == SubjectErased("n")
    assert erase(log, everywhere(log, [PERSON]), now(log)).appended == 0


def test_who_appears_while_they_are_looked_for_is_erased_too(
    log: DealLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def surveyed(log: DealLog, person: Person) -> Erasure:
        planned = survey(log, person)
        more = (("d-3", OPEN), ("d-3", IdentifyStakeholder("n", "Nadja")))
        tell(log, (*more, ("d-3", ReviseStakeholder("n", person=PERSON))), "more")
        return planned

    monkeypatch.setattr("store.forgetting.erasure.survey", surveyed)
    done = erase(log, everywhere(log, [PERSON]), now(log))
    assert done.person.appearances == (*PLACES, Appearance("d-3", "n"))
    assert (done.appended, done.keys) == (3, 2)
    assert facts(log, "d-3")[1] == StakeholderIdentified("n", ERASED)


def test_a_stakeholder_without_an_id_across_deals_is_forgotten_alone(log: DealLog) -> None:
    erase(log, everywhere(log, (), [Appearance("d-1", "wang")]), now(log))
    told = facts(log, "d-1")
    assert told[3] == StakeholderIdentified("wang", ERASED, title=ERASED)
    assert told[6] == NoteAdded(ERASED)
    assert told[2].name != ERASED  # type: ignore[attr-defined]


def test_who_may_not_erase_changes_nothing(log: DealLog) -> None:
    seller = Principal("ann", frozenset({Role.SELLER}))
    with pytest.raises(NotAllowed):
        erase(log, everywhere(log, [PERSON]), now(log, seller))
    assert log.keys.pending_erasures() == ()


@pytest.mark.parametrize("reason", ["Nadja asked", "李娜 asked", "as Wang Wei said of nadja 李娜"])
def test_a_reason_that_names_them_is_refused_before_anything_is_done(
    log: DealLog, reason: str
) -> None:
    with pytest.raises(PersonErased):
        erase(log, everywhere(log, [PERSON]), now(log), reason)
    assert log.head() == len(TOLD)
    assert log.keys.pending_erasures() == ()


# From then on.


def test_nothing_personal_of_them_is_recorded_any_more(log: DealLog) -> None:
    erase(log, everywhere(log, [PERSON]), now(log))
    tell(log, (("d-3", OPEN),), "more")
    head = log.head()
    for deal, command in (
        ("d-3", IdentifyStakeholder("new", "Nadja", person=PERSON)),
        ("d-1", ReviseStakeholder("nadja", title="Director")),
    ):
        with pytest.raises(PersonErased):
            log.handle(deal, command, intent(f"late-{deal}"))
    imported = [draft(NoteAdded("first")), draft(StakeholderIdentified("n", "Nadja", PERSON))]
    with pytest.raises(PersonErased):
        log.append([Batch("deal:d-3", 1, imported)])
    assert log.head() == head


def test_a_new_appearance_can_be_erased_too(log: DealLog) -> None:
    erase(log, everywhere(log, [PERSON]), now(log))
    more = (("d-3", OPEN), ("d-3", IdentifyStakeholder("n", "Nadja B.")))
    tell(log, more, "more")
    again = erase(log, everywhere(log, [PERSON], [Appearance("d-3", "n")]), now(log))
    assert again.gone == {("d-3", "stakeholder-identified", "name"): 1}
    assert facts(log, "d-3")[1] == StakeholderIdentified("n", ERASED)


def test_nobody_is_taken_for_somebody_erased(log: DealLog) -> None:
    erase(log, everywhere(log, [PERSON]), now(log))
    head = log.head()
    with pytest.raises(PersonErased):
        log.handle("d-1", ReviseStakeholder("wang", person=PERSON), intent("late"))
    with pytest.raises(PersonErased):
        log.append([Batch("deal:d-1", 9, [draft(StakeholderRevised("wang", person=PERSON))])])
    assert log.head() == head
    log.handle("d-1", AddNote("Wang Wei is back"), intent("later"))


# Everyone who had it in memory.


def test_a_second_log_of_the_same_process_forgets(log: DealLog, location: Location) -> None:
    with DealLog.open(location) as other:
        assert NoteAdded(WAITING) in facts(other, "d-1")
        other.history("d-1")
        other.history("d-2")
        erase(log, everywhere(log, [PERSON]), now(log))
        is_forgotten(other)


def test_a_log_that_only_appended_since_forgets_too(log: DealLog, location: Location) -> None:
    with DealLog.open(location) as other:
        other.history("d-1")
        erase(log, everywhere(log, [PERSON]), now(log))
        other.append([Batch("deal:d-9", 0, [draft(NoteAdded("new"))])])
        is_forgotten(other)


def test_a_repeated_command_is_answered_without_what_was_erased(
    log: DealLog, location: Location
) -> None:
    with DealLog.open(location) as other:
        other.history("d-1")
        erase(log, everywhere(log, [PERSON]), now(log))
        (event,) = other.handle("d-1", AddNote(WAITING), intent("told-7")).events
        assert event.fact == NoteAdded(ERASED)


def test_another_process_forgets(log: DealLog, location: Location) -> None:
    program = (
        "import sys\n"
        "from store.location import Location\n"
        "from store.log import DealLog\n"
        "with DealLog.open(Location.parse(sys.argv[1])) as log:\n"
        "    names = lambda: [s.name for s in log.history('d-1').deal.people.stakeholders]\n"
        "    print(names(), flush=True)\n"
        "    sys.stdin.readline()\n"
        "    print(names(), flush=True)\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(location)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout is not None
        assert "Nadja" in other.stdout.readline()
        erase(log, everywhere(log, [PERSON]), now(log))
        told, _ = other.communicate("go\n", timeout=30)
    finally:
        other.kill()
        other.communicate()
    assert told == "['[erased]', 'Wang Wei']\n"


# In no file.


def forms(text: str) -> list[bytes]:
    """A text as it could stand in a file."""
    return [
        text.encode(),
        json.dumps(text)[1:-1].encode(),
        msgspec.json.encode(text)[1:-1],
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
    ]


def found_in(folder: Path, traces: list[bytes]) -> list[str]:
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    return [name for name, content in contents.items() if any(one in content for one in traces)]


def test_neither_plaintext_nor_key_is_in_any_file(log: DealLog, location: Location) -> None:
    person = everywhere(log, [PERSON])
    keys = log.keys.find(person.keys)
    digests = [log.keys._vault.digest("key", name) for name in person.keys]
    with log.keys._vault.reading() as cursor:
        rows = cursor.execute("SELECT digest, wrapped FROM keys").fetchall()
    wrapped = [wrapped for digest, wrapped in rows if digest in digests]
    views, tail = open_views(location), Tail(log)
    catch_up(views, tail)
    assert found_in(location.keys.parent, wrapped) == [location.keys.name]
    erase(log, person, now(log), "asked by letter")
    catch_up(views, Tail(log))
    texts = [form for text in PERSONAL for form in forms(text)]
    traces = [*texts, *keys.values(), *wrapped, *(key.hex().encode() for key in keys.values())]
    assert len(wrapped) == len(keys) == 1
    assert {path.name for path in location.log.parent.iterdir()} >= {"x.db", "x.keys.db", "x.key"}
    assert found_in(location.log.parent, traces) == []
    views.close()


def test_proofs_from_before_hold(log: DealLog) -> None:
    notary = Notary(log.records, log.keys, log.now)
    old = notary.checkpoint()
    receipts = [notary.receipt("deal:d-1", version) for version in range(1, 9)]
    erase(log, everywhere(log, [PERSON]), now(log))
    notary.checkpoint()
    trust = Trust(tuple(notary.verifier_keys()))
    for receipt in receipts:
        assert isinstance(verify_text(receipt, trust), ReceiptFinding)
    verify_text(old, trust)
    verify_text(notary.consistency(len(TOLD), log.head()), trust)
    verify_text(notary.receipt("deal:d-1", 3), trust)


def test_read_models_are_the_same_when_rebuilt(log: DealLog, location: Location) -> None:
    views, tail = open_views(location), Tail(log)
    catch_up(views, tail)
    erase(log, everywhere(log, [PERSON]), now(log))
    assert rebuild(views, tail, check=True).differences == []
    views.close()


# Cut short.


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_cut_short_is_finished_when_the_store_is_opened(
    location: Location, step: str
) -> None:
    with told_log(location) as log:
        person = everywhere(log, [PERSON])
        with pytest.raises(Killed):
            erase(log, person, now(log), "asked", at=killed_at(step))
    with DealLog.open(location, Ticking()) as log:
        assert log.erasures_finished == (step != "finished")
        assert log.erasure_unfinished is None
        is_forgotten(log)
        assert log.keys.pending_erasures() == ()
        erased = [one for one in facts(log, "d-1") if isinstance(one, SubjectErased)]
        assert len(erased) == 1
        assert sum(row.fingerprint is None for row in log.records.commands()) == 6
        assert finish_pending(log) == 0


PROGRAM = """
import os, signal, sys
from store.forgetting.appearances import everywhere
from store.forgetting.erasure import erase
from store.location import Location
from store.log import DealLog
from tests.contract.asking import intent
def at(step):
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
with DealLog.open(Location.parse(sys.argv[1])) as log:
    now = log.now()
    erase(log, everywhere(log, ["p-nadja"]), intent("e", now=now, occurred_at=now), at=at)
"""


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_that_is_killed_leaves_nothing_once_the_store_was_opened(
    location: Location, step: str
) -> None:
    told_log(location).close()
    killed = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(location), step], cwd=REPOSITORY, check=False
    )
    assert killed.returncode == -9
    with DealLog.open(location, Ticking()) as log:
        is_forgotten(log)
        texts = [form for text in PERSONAL for form in forms(text)]
        assert found_in(location.log.parent, texts) == []
        assert log.keys.pending_erasures() == ()
        assert log.keys.find(["person:p-nadja"]) == {}


def test_begun_is_as_good_as_done_for_everyone_who_reads_or_records(
    log: DealLog, location: Location
) -> None:
    with DealLog.open(location, Ticking()) as other:
        other.history("d-1")
        with pytest.raises(Killed):
            erase(log, everywhere(log, [PERSON]), now(log), at=killed_at("begun"))
        assert NoteAdded(ERASED) in facts(other, "d-1")
        with pytest.raises(PersonErased):
            other.handle("d-1", ReviseStakeholder("nadja", name="Nadja"), intent("late"))


def test_a_store_that_cannot_finish_an_erasure_now_opens_all_the_same(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    with told_log(location) as log, pytest.raises(Killed):
        erase(log, everywhere(log, [PERSON]), now(log), at=killed_at("begun"))

    def busy(_: object) -> None:
        raise StoreBusy("in use", "wait")

    with monkeypatch.context() as patched:
        patched.setattr("store.sqlite.recorder.LogRecorder.purge", busy)
        with DealLog.open(location, Ticking()) as log:
            assert log.erasures_finished == 0
            assert isinstance(log.erasure_unfinished, StoreBusy)
            assert len(log.keys.pending_erasures()) == 1
    with DealLog.open(location, Ticking()) as log:
        assert log.erasures_finished == 1
        is_forgotten(log)


# A law.

NAMES = ("Ann Blue", "王伟", "Ann Gray", "Bo")
TEXTS = ("nothing of note", "Ann came", "王伟 said no", "Bo and Gray met", "Blue is away")
PEOPLE = ("a", "b", "c")
COMMANDS = st.one_of(
    st.builds(
        IdentifyStakeholder,
        st.sampled_from(PEOPLE),
        st.sampled_from(NAMES),
        person=st.sampled_from(["p-1", "p-2", None]),
        title=st.none() | st.sampled_from(TEXTS),
    ),
    st.builds(AddNote, st.sampled_from(TEXTS)),
    st.builds(
        ReviseStakeholder,
        st.sampled_from(PEOPLE),
        name=st.sampled_from(NAMES),
        person=st.sampled_from(["p-1", "p-2", None]),
    ),
)


def readable(log: DealLog, stream: str) -> list[dict[str, object]]:
    return [
        {name: getattr(event.fact, name) for name in event.fact.__struct_fields__}
        | {"envelope": msgspec.structs.replace(event, fact=None)}
        for event in log.events_in(stream)
    ]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.tuples(st.sampled_from(["d-1", "d-2"]), COMMANDS), max_size=12))
def test_everything_else_of_every_deal_stays_equal(
    told: list[tuple[str, AddNote]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    location = Location.beside(tmp_path_factory.mktemp("law") / "x.db")
    with DealLog.create(location, Ticking()) as log:
        tell(log, (("d-1", OPEN), ("d-2", OPEN)), "open")
        for number, (deal, command) in enumerate(told):
            try:
                log.handle(deal, command, intent(f"c-{number}"))
            except Refusal:
                continue
        before = {deal: readable(log, f"deal:{deal}") for deal in ("d-1", "d-2")}
        person = everywhere(log, ["p-1"])
        if not person.appearances:
            return
        done = erase(log, person, now(log))
        changed = 0
        for deal, events in before.items():
            after = readable(log, f"deal:{deal}")
            for one, other in zip(events, after, strict=False):
                differing = [name for name, value in one.items() if other[name] != value]
                changed += len(differing)
                assert all(other[name] in {ERASED, None} for name in differing)
        assert changed == sum(done.gone.values())
