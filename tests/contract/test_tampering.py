"""Whatever is changed in the stored events or their hashes is found, and where."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from store.events.writing import Batch
from store.fsck.check import check
from store.fsck.checkpoints import ClaimedCheckpoint
from store.fsck.findings import MOST_PROBLEMS, Findings, Kind, Problem
from store.keys import signing
from store.log import DealLog
from store.notary import LogContradicted, Notary, verifier_key
from store.seals import tiles
from store.seals.notes import (
    Checkpoint,
    Note,
    Signature,
    SignatureType,
    SigningKey,
    cosign,
    encode_base64,
    parse_note,
    with_cosignatures,
)
from store.seals.verify import Trust, verify_text
from tests.conftest import NewLocation
from tests.contract.asking import Ticking, notes
from tests.contract.tampering import Event, RawLog, flipped, numbered, raw

STREAMS = ("deal:a", "deal:b", "deal:c")
EVENTS = 600
"""Two full tiles of leaves, and a part of the third."""
CHECKPOINTS = (100, 300, EVENTS)

indices = st.integers(0, EVENTS - 1)
few = settings(max_examples=10)


@pytest.fixture(scope="module")
def sealed(new_location: NewLocation) -> Iterator[DealLog]:
    """A log of three deals whose events alternate, with three checkpoints."""
    with DealLog.create(new_location(), Ticking()) as log:
        some = {stream: notes(EVENTS // 3, stream) for stream in STREAMS}
        sizes = [0, *CHECKPOINTS]
        for first, last in zip(sizes, CHECKPOINTS, strict=False):
            log.append(
                [
                    Batch(STREAMS[at % 3], at // 3, [some[STREAMS[at % 3]][at // 3]])
                    for at in range(first, last)
                ]
            )
            notary_of(log).checkpoint()
        yield log


def notary_of(log: DealLog) -> Notary:
    return Notary(log.records, log.keys, log.now)


def checked(log: DealLog, *, fields: bool = False) -> Findings:
    return check(log.records, log.keys, fields=fields)


def first(log: DealLog) -> Problem:
    """The first thing that is wrong."""
    findings = checked(log)
    assert not findings.sound
    return findings.problems[0]


def named(event: Event) -> tuple[str, int]:
    return event[1], event[2]


@pytest.mark.parametrize("at_once", [50, 1_000])
@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 513])
def test_a_log_as_it_was_written_is_sound(
    new_location: NewLocation, size: int, at_once: int
) -> None:
    with DealLog.create(new_location(), Ticking()) as log:
        notary_of(log).checkpoint()
        for start in range(0, size, at_once):
            log.append([Batch("deal:a", start, notes(min(at_once, size - start)))])
        notary_of(log).checkpoint()
        findings = checked(log, fields=True)
    assert findings.sound, findings
    assert (findings.events, findings.fields_opened, findings.fields_erased) == (size, size, 0)
    assert findings.checkpoints == len({0, size})


def test_the_root_is_told(sealed: DealLog) -> None:
    told = []
    findings = check(sealed.records, sealed.keys, progress=lambda *done: told.append(done))
    assert findings.root == encode_base64(tiles.root(sealed.records, EVENTS))
    assert (findings.checkpoints, findings.others) == (3, 0)
    assert told == [(EVENTS, EVENTS)]


def test_a_log_that_grows_meanwhile_is_sound(new_location: NewLocation) -> None:
    with DealLog.create(new_location(), Ticking()) as log, DealLog.open(log.location) as other:
        log.append([Batch("deal:a", 0, notes(3 * 4096))])
        notary_of(log).checkpoint()
        sizes = iter([250, 5, 1, 300, 255])

        def grow(done: int, total: int) -> None:
            count = next(sizes, 0)
            other.append([Batch("deal:a", other.records.version("deal:a"), notes(count))])

        findings = check(log.records, log.keys, progress=grow)
    assert findings.sound, findings
    assert findings.events == 3 * 4096 + 250 + 5 + 1 + 300 + 255


# One event, changed in the table of events alone.


@few
@given(index=indices, at=st.integers(0, 2**16), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found(sealed: DealLog, index: int, at: int, bit: int) -> None:
    with raw(sealed) as tables, tables.undone():
        state = tables.events()[index][4]
        tables.execute(
            "UPDATE stored_events SET state = ? WHERE position = ?",
            (flipped(state, at % len(state), bit), index + 1),
        )
        found = first(sealed)
    assert (found.index, found.kind, found.position) == (index, Kind.CHANGED, index + 1)


@pytest.mark.parametrize("state", [b"", b"\xff", b"null", b"[" * 100_000, b'{"stream":1}'])
def test_bytes_that_are_no_event_are_found(sealed: DealLog, state: bytes) -> None:
    with raw(sealed) as tables, tables.undone():
        event = tables.events()[41]
        tables.execute("UPDATE stored_events SET state = ? WHERE position = 42", (state,))
        found = first(sealed)
        tables.seal()
        sealed_too = first(sealed)
    assert (found.index, found.kind, found.stream, found.version) == (
        *(41, Kind.CHANGED),
        *named(event),
    )
    assert (sealed_too.index, sealed_too.kind) == (41, Kind.CHANGED)


@few
@given(index=indices, renumbered=st.booleans())
@example(index=EVENTS - 1, renumbered=False)
@example(index=EVENTS - 2, renumbered=True)
def test_a_removed_event_is_found(sealed: DealLog, index: int, renumbered: bool) -> None:
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        del events[index]
        tables.write(numbered(events) if renumbered else events)
        found = first(sealed)
    assert (found.index, found.kind) == (index, Kind.REMOVED)


@few
@given(index=indices, of=indices)
@example(index=EVENTS - 1, of=0)
def test_an_inserted_event_is_found(sealed: DealLog, index: int, of: int) -> None:
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        _, stream, _, topic, state = events[of]
        events.insert(index, (0, stream, 10_000, topic, state + b" "))
        tables.write(numbered(events))
        found = first(sealed)
    assert (found.index, found.kind) == (index, Kind.INSERTED)


def test_an_event_added_behind_the_last_is_found(sealed: DealLog) -> None:
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        _, _, _, topic, state = events[0]
        tables.write([*events, (EVENTS + 1, "deal:z", 1, topic, state + b" ")])
        found = first(sealed)
    assert (found.index, found.kind) == (EVENTS, Kind.INSERTED)


@few
@given(pair=st.lists(indices, min_size=2, max_size=2, unique=True))
def test_exchanged_events_are_found(sealed: DealLog, pair: list[int]) -> None:
    one, other = sorted(pair)
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        events[one], events[other] = events[other], events[one]
        tables.write(numbered(events))
        found = checked(sealed).problems
    assert [problem.index for problem in found] == [one, other]
    assert {problem.kind for problem in found} == {Kind.REORDERED}
    assert (found[0].stream, found[0].version) == named(events[one])


@few
@given(data=st.data())
def test_any_other_order_is_found(sealed: DealLog, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, EVENTS - 10))
    order = data.draw(st.permutations(range(start, start + 10)))
    moved = [at for at, was in enumerate(order, start=start) if at != was]
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        events[start : start + 10] = [events[at] for at in order]
        tables.write(numbered(events))
        found = checked(sealed).problems
    assert [problem.index for problem in found] == moved
    assert all(problem.kind is Kind.REORDERED for problem in found)


@pytest.mark.parametrize(
    ("column", "value"),
    [("originator_id", "deal:z"), ("originator_version", 9_999), ("topic", "note-added@2")],
)
def test_a_changed_column_is_found(sealed: DealLog, column: str, value: object) -> None:
    with raw(sealed) as tables, tables.undone():
        event = tables.events()[300]
        tables.execute(f"UPDATE stored_events SET {column} = ? WHERE position = 301", (value,))
        found = checked(sealed)
    assert [(one.index, one.kind) for one in found.problems] == [(300, Kind.CHANGED)]
    assert (found.problems[0].stream, found.problems[0].version) == named(event)
    assert str(value) in found.problems[0].what


@pytest.mark.parametrize("position", [0, -7])
def test_an_event_before_the_first_position_is_found(sealed: DealLog, position: int) -> None:
    with raw(sealed) as tables, tables.undone():
        _, stream, _, topic, state = tables.events()[0]
        tables.insert((position, stream, 10_000, topic, state))
        found = checked(sealed).problems
    assert [(one.index, one.kind) for one in found] == [(None, Kind.INSERTED)]
    assert str(position) in found[0].what


def test_an_event_far_behind_the_last_is_found_at_once(sealed: DealLog) -> None:
    with raw(sealed) as tables, tables.undone():
        _, stream, _, topic, state = tables.events()[0]
        tables.insert((2**62, stream, 10_000, topic, state))
        found = first(sealed)
    assert (found.index, found.kind) == (EVENTS, Kind.REMOVED)


def test_many_problems_are_counted_not_listed(sealed: DealLog) -> None:
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        tables.write([(*event[:4], event[4] + b" ") for event in events])
        found = checked(sealed)
    assert [one.index for one in found.problems] == list(range(MOST_PROBLEMS))
    assert found.others == EVENTS - MOST_PROBLEMS


# The hashes alone.


@few
@given(data=st.data())
def test_any_flipped_bit_of_a_tile_is_found(sealed: DealLog, data: st.DataObject) -> None:
    with raw(sealed) as tables, tables.undone():
        stored = tables.execute("SELECT level, number, hashes FROM tiles ORDER BY level, number")
        level, number, hashes = data.draw(st.sampled_from(list(stored)))
        at, bit = data.draw(st.integers(0, len(hashes) - 1)), data.draw(st.integers(0, 7))
        tables.execute(
            "UPDATE tiles SET hashes = ? WHERE level = ? AND number = ?",
            (flipped(bytes(hashes), at, bit), level, number),
        )
        found = checked(sealed).problems
    places = {one.index for one in found if one.index is not None}
    expected = number * 256 + at // 32 if level == 0 else at // 32 * 256
    assert expected in places


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM tiles WHERE level = 0 AND number = 1",
        "DELETE FROM tiles WHERE level = 1",
        "DELETE FROM edge WHERE position = 520",
        "UPDATE edge SET hash = (SELECT hash FROM edge WHERE position = 530) WHERE position = 520",
        "INSERT INTO edge SELECT position + 88, hash FROM edge WHERE position = 513",
        "INSERT INTO edge SELECT position + 8800, hash FROM edge WHERE position = 513",
        "INSERT INTO edge SELECT position - 88, hash FROM edge WHERE position = 513",
        "INSERT INTO tiles SELECT 0, 2, hashes FROM tiles WHERE level = 0 AND number = 1",
    ],
)
def test_missing_and_surplus_hashes_are_found(sealed: DealLog, statement: str) -> None:
    with raw(sealed) as tables, tables.undone():
        tables.execute(statement)
        assert not checked(sealed).sound


def test_a_surplus_hash_above_is_found(sealed: DealLog) -> None:
    with raw(sealed) as tables, tables.undone():
        ((hashes,),) = tables.execute("SELECT hashes FROM tiles WHERE level = 1")
        longer = bytes(hashes) + bytes(32)
        tables.execute("UPDATE tiles SET hashes = ? WHERE level = 1", (longer,))
        (found,) = checked(sealed).problems
    assert (found.index, found.kind) == (None, Kind.TREE)


# Events and hashes together.


@few
@given(index=indices)
def test_a_changed_event_with_its_leaf_is_found_by_the_tile_above(
    sealed: DealLog, index: int
) -> None:
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        events[index] = _about_another_actor(events[index])
        tables.write(events)
        tables.seal_leaves()
        found = checked(sealed).problems
    damaged = [one.index for one in found if one.kind is Kind.TREE]
    assert damaged == ([index // 256 * 256] if index < 512 else [])
    first_index, last_index = found[0].index, found[0].last_index
    assert first_index is not None
    assert last_index is not None
    assert first_index <= index <= last_index


@few
@given(index=indices)
def test_a_changed_event_with_all_hashes_is_found_by_the_checkpoints(
    sealed: DealLog, index: int
) -> None:
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        events[index] = _about_another_actor(events[index])
        tables.write(events)
        tables.seal()
        found = first(sealed)
        with pytest.raises(LogContradicted):
            notary_of(sealed).checkpoint()
    assert found.kind is Kind.CHECKPOINT
    # Those in the store that hold may have been made after the change.
    end = min(size for size in CHECKPOINTS if size > index)
    assert (found.index, found.last_index) == (0, end - 1)


@few
@given(index=indices, vouched=st.sets(st.sampled_from(CHECKPOINTS), min_size=1))
def test_checkpoints_from_elsewhere_say_between_which_events(
    sealed: DealLog, index: int, vouched: set[int]
) -> None:
    notes_of = {row.size: row.note for row in notary_of(sealed).checkpoints()}
    elsewhere = [ClaimedCheckpoint(f"mine of {size}", notes_of[size]) for size in vouched]
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        events[index] = _about_another_actor(events[index])
        tables.write(events)
        tables.seal()
        found = check(sealed.records, sealed.keys, elsewhere=elsewhere).problems
    assert {one.kind for one in found} == {Kind.CHECKPOINT}
    assert all(_surrounds(one, index) for one in found)
    assert found[0].index == max((size for size in vouched if size <= index), default=0)


def test_who_signs_anew_does_not_lead_astray(sealed: DealLog) -> None:
    """An event is changed and the store made to agree, checkpoints and keys and all."""
    last = sealed.keys.signed_last()
    assert last is not None
    kept = {row.size: row.note for row in notary_of(sealed).checkpoints()}
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        events[41] = _about_another_actor(events[41])
        tables.write(events)
        tables.seal()
        for size in CHECKPOINTS:
            text = Checkpoint(notary_of(sealed).origin, size, tiles.root(sealed.records, size))
            tables.execute(
                "UPDATE checkpoints SET note = ? WHERE size = ?",
                (_signed_anew(sealed, text), size),
            )
        _remember(sealed, signing.Signed(EVENTS, tiles.root(sealed.records, EVENTS)))
        as_if_sound = checked(sealed).sound
        found = [
            problem
            for size in CHECKPOINTS
            for problem in check(
                sealed.records,
                sealed.keys,
                elsewhere=[ClaimedCheckpoint("mine", kept[size])],
            ).problems
        ]
        (held,) = (row.note for row in notary_of(sealed).checkpoints() if row.size == 300)
        both = [ClaimedCheckpoint("theirs", held), ClaimedCheckpoint("mine", kept[300])]
        (of_both,) = check(sealed.records, sealed.keys, elsewhere=both).problems
    _remember(sealed, last)
    assert as_if_sound
    assert (of_both.index, of_both.last_index) == (0, 299)
    assert [(one.index, one.last_index) for one in found] == [(0, size - 1) for size in CHECKPOINTS]


def _remember(log: DealLog, told: signing.Signed) -> None:
    with log.keys._vault.writing() as cursor:
        signing.remember_signed(cursor, told)


def _signed_anew(log: DealLog, told: Checkpoint) -> str:
    """By the key of the log, past all that would refuse it."""
    ring = log.keys
    with ring._vault.reading() as cursor:
        signer = signing.newest(cursor, ring._vault.wrapping)
    signed = signer.sign(told.text().encode())
    key = verifier_key(signed.key)
    return str(Note(told.text(), (Signature(key.name, key.id, signed.value),)))


def test_a_kept_checkpoint_that_a_witness_cosigned_counts_as_one_from_elsewhere(
    sealed: DealLog,
) -> None:
    witness = SigningKey.from_seed("witness/one", SignatureType.COSIGNATURE, bytes(range(32)))
    notary = notary_of(sealed)
    with raw(sealed) as tables, tables.undone():
        note = parse_note(notary.checkpoints()[0].note)
        line = cosign(note.text, witness, 1_800_000_000).line()
        notary.keep(str(with_cosignatures(note, line, [witness.verifier])))
        events = tables.events()
        events[420] = _about_another_actor(events[420])
        tables.write(events)
        tables.seal()
        unknown = checked(sealed).problems
        known = check(sealed.records, sealed.keys, witnesses=[witness.verifier]).problems
    places = [[(one.index, one.last_index) for one in found if "the kept" in one.what]
              for found in (unknown, known)]  # fmt: skip
    assert places == [[(0, EVENTS - 1)], [(CHECKPOINTS[0], EVENTS - 1)]]


@few
@given(index=indices, keeps_checkpoints=st.booleans())
def test_a_removed_event_with_all_hashes_is_found(
    sealed: DealLog, index: int, keeps_checkpoints: bool
) -> None:
    kept = notary_of(sealed).checkpoints()[-1].note
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        del events[index]
        tables.write(numbered(events))
        tables.seal()
        if not keeps_checkpoints:
            tables.execute("DELETE FROM checkpoints")
        elsewhere = [ClaimedCheckpoint("the one in my safe", kept)]
        found = check(sealed.records, sealed.keys, elsewhere=elsewhere).problems
    assert any(one.kind is Kind.CHECKPOINT and "in my safe" in one.what for one in found)
    if index < EVENTS - 3:
        gap = next(one for one in found if one.kind is Kind.REMOVED)
        assert (gap.stream, gap.version) == (STREAMS[index % 3], index // 3 + 2)


@few
@given(pair=st.lists(indices, min_size=2, max_size=2, unique=True), inserted=st.booleans())
def test_events_moved_or_inserted_with_all_hashes_are_found(
    sealed: DealLog, pair: list[int], inserted: bool
) -> None:
    one, other = sorted(pair)
    with raw(sealed) as tables, tables.undone():
        events = tables.events()
        if inserted:
            events.insert(one, (0, "deal:z", 1, *_first_of_another_deal(events[0])))
        else:
            events[one], events[other] = events[other], events[one]
        tables.write(numbered(events))
        tables.seal()
        found = checked(sealed).problems
    broken = [problem for problem in found if problem.kind is Kind.CHECKPOINT]
    assert _surrounds(broken[0], one)
    assert len(broken) == sum(size > one for size in CHECKPOINTS)
    same_deal = not inserted and one % 3 == other % 3
    assert not same_deal or found[0].index == one


def _first_of_another_deal(event: Event) -> tuple[str, bytes]:
    """Topic and bytes of an event that could be the first of a deal of its own."""
    return event[3], event[4].replace(b'"stream":"deal:a"', b'"stream":"deal:z"', 1)


def _surrounds(problem: Problem, index: int) -> bool:
    if problem.index is None or problem.last_index is None:
        return False
    return problem.index <= index <= problem.last_index


def _about_another_actor(event: Event) -> Event:
    state = event[4].replace(b'"actor":"ann"', b'"actor":"bob"')
    assert state != event[4]
    return (*event[:4], state)


# Checkpoints.


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (("note = replace(note, '— ', '— x')", 300), "not signed by a trusted key"),
        (("note = replace(note, 'dealstate/', 'other/')", 300), "is of other/"),
        (("note = 'gone'", 300), "does not end in signature lines"),
        (("size = 299", 300), "it is one of 300 events"),
    ],
)
def test_a_changed_checkpoint_is_found(
    sealed: DealLog, changes: tuple[str, int], says: str
) -> None:
    with raw(sealed) as tables, tables.undone():
        tables.execute(f"UPDATE checkpoints SET {changes[0]} WHERE size = ?", (changes[1],))
        found = checked(sealed)
    (problem,) = found.problems
    assert (problem.index, problem.kind) == (None, Kind.CHECKPOINT)
    assert says in problem.what
    assert found.checkpoints == 2


def test_a_log_that_ends_before_a_checkpoint_is_found(sealed: DealLog) -> None:
    with raw(sealed) as tables, tables.undone():
        tables.write(tables.events()[:450])
        tables.seal()
        found = checked(sealed).problems
    (problem,) = found
    assert (problem.index, problem.last_index) == (450, EVENTS - 1)
    assert problem.kind is Kind.CHECKPOINT
    assert "450 events only" in problem.what


# What does not depend on the log any more.


def test_old_receipts_outlive_what_happens_to_the_log(sealed: DealLog) -> None:
    notary = notary_of(sealed)
    trust = Trust(tuple(notary.verifier_keys()))
    receipts = [notary.receipt(stream, 7) for stream in STREAMS]
    with raw(sealed) as tables, tables.undone():
        _ruin(tables)
        for receipt in receipts:
            verify_text(receipt, trust)
        with pytest.raises(LogContradicted):
            notary.receipt("deal:a", 8)


def _ruin(tables: RawLog) -> None:
    tables.write([(*event[:4], event[4] + b" ") for event in tables.events()])
