"""Who can write the database of a log, and not its keys, has no other history signed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from store.errors import StoreError
from store.events.writing import Batch
from store.fsck.check import check
from store.fsck.findings import Findings, Kind, Signatures
from store.keys.absent import NONE, KeysAbsent
from store.keys.signing import Signed
from store.location import Location
from store.log import DealLog
from store.notary import LogContradicted, Notary
from store.seals import tiles
from store.seals.notes import (
    SignatureType,
    SigningKey,
    cosign,
    parse_checkpoint,
    parse_note,
    with_cosignatures,
)
from tests.conftest import NewLocation
from tests.contract.asking import Ticking, notes
from tests.contract.tampering import RawLog, raw

EVENTS = 300
STRANGER = SigningKey.from_seed("dealstate/other", SignatureType.ED25519, bytes(range(32)))


@pytest.fixture
def log(new_location: NewLocation) -> Iterator[DealLog]:
    """Events under a checkpoint, and three more that are under none."""
    with DealLog.create(new_location(), Ticking()) as log:
        log.append([Batch("deal:a", 0, notes(EVENTS))])
        notary_of(log).checkpoint()
        log.append([Batch("deal:a", EVENTS, notes(3))])
        yield log


def notary_of(log: DealLog) -> Notary:
    return Notary(log.records, log.keys, log.now)


def truncate(tables: RawLog) -> None:
    tables.write(tables.events()[: EVENTS - 1])


def rewrite(tables: RawLog) -> None:
    events = tables.events()
    state = events[41][4].replace(b'"actor":"ann"', b'"actor":"bob"')
    assert state != events[41][4]
    events[41] = (*events[41][:4], state)
    tables.write(events)


def forge(log: DealLog, change: Callable[[RawLog], None]) -> None:
    """Change the history, and have everything in the database agree with it."""
    with raw(log) as tables:
        change(tables)
        tables.seal()
        tables.execute("DELETE FROM checkpoints")


@pytest.mark.parametrize("change", [truncate, rewrite])
def test_another_history_is_found_and_not_signed(
    log: DealLog, change: Callable[[RawLog], None]
) -> None:
    forge(log, change)
    (found,) = check(log.records, log.keys).problems
    assert found.kind is Kind.CHECKPOINT
    assert "the keys know to be signed last" in found.what
    with pytest.raises(LogContradicted):
        notary_of(log).checkpoint()
    assert log.records.checkpoints() == []


def test_a_log_put_back_to_a_kept_checkpoint_is_not_told_to_be_current(log: DealLog) -> None:
    notary = notary_of(log)
    earlier = notary.checkpoints()[-1].note
    notary.checkpoint()
    with raw(log) as tables:
        tables.write(tables.events()[:EVENTS])
        tables.seal()
        tables.execute("DELETE FROM checkpoints WHERE size > ?", (EVENTS,))
    assert [row.note for row in log.records.checkpoints()][-1] == earlier
    with pytest.raises(LogContradicted):
        notary.checkpoint()


def test_a_log_that_lacks_what_was_signed_is_opened_to_look_into_it_alone(log: DealLog) -> None:
    forge(log, truncate)
    with pytest.raises(StoreError, match=f"has {EVENTS - 1} events, and {EVENTS} were signed"):
        DealLog.open(log.location)
    with DealLog.open(log.location, doubtful_too=True) as other:
        assert "audit fsck" in str(other.doubt)
        assert not check(other.records, other.keys).sound


def test_what_nobody_has_signed_is_told(log: DealLog) -> None:
    findings = check(log.records, log.keys)
    assert findings.sound
    assert (findings.events, findings.signed_until) == (EVENTS + 3, EVENTS)
    with raw(log) as tables:
        tables.execute("DELETE FROM checkpoints")
    assert check(log.records, log.keys).signed_until == EVENTS


def test_what_is_set_back_is_signed_from_there(log: DealLog) -> None:
    forge(log, truncate)
    log.keys.set_signed(Signed(200, tiles.root(log.records, 200)))
    assert check(log.records, log.keys).sound
    notary_of(log).checkpoint()
    assert log.keys.signed_last() == Signed(EVENTS - 1, tiles.root(log.records, EVENTS - 1))


def test_a_checkpoint_of_a_part_forgets_nothing(log: DealLog) -> None:
    notary = notary_of(log)
    notary.checkpoint()
    told = parse_checkpoint(parse_note(notary.checkpoint(17)).text)
    assert (told.size, told.root) == (17, tiles.root(log.records, 17))
    last = log.keys.signed_last()
    assert last is not None
    assert last.size == EVENTS + 3
    assert check(log.records, log.keys).sound


def test_two_who_keep_one_checkpoint_keep_all_signatures(log: DealLog) -> None:
    notary = notary_of(log)
    plain = notary.checkpoint()
    witnesses = [
        SigningKey.from_seed(name, SignatureType.COSIGNATURE, name.encode() * 8)
        for name in ("one/", "two/")
    ]
    for witness in witnesses:
        line = cosign(parse_note(plain).text, witness, 1_800_000_000).line()
        notary.keep(str(with_cosignatures(parse_note(plain), line, [witness.verifier])))
    notary.keep(plain)
    names = [one.name for one in parse_note(notary.checkpoint()).signatures]
    assert names == [notary.origin, "one/", "two/"]


# Damage is told.


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE checkpoints SET note = 'x'",
        "UPDATE edge SET hash = (SELECT min(hash) FROM edge)",
        "UPDATE tiles SET hashes = (SELECT min(hash) FROM edge)",
    ],
)
def test_damage_beside_the_events_is_told_not_signed(log: DealLog, statement: str) -> None:
    with raw(log) as tables:
        tables.execute(statement)
    notary = notary_of(log)
    asked: list[Callable[[], object]] = [
        notary.checkpoint,
        lambda: notary.receipt("deal:a", EVENTS + 3),
        lambda: notary.consistency(EVENTS, EVENTS),
    ]
    for ask in asked[: 1 if "edge" in statement else 3]:
        with pytest.raises(LogContradicted):
            ask()
    assert not check(log.records, log.keys).sound


def short_hashes(log: DealLog, table: str) -> None:
    column = {"edge": "hash", "tiles": "hashes"}[table]
    with raw(log) as tables:
        tables.execute(f"UPDATE {table} SET {column} = ?", (b"\0",))


@pytest.mark.parametrize("table", ["edge", "tiles"])
def test_hashes_that_are_none_are_told_by_whoever_needs_them(log: DealLog, table: str) -> None:
    short_hashes(log, table)
    with pytest.raises(LogContradicted):
        notary_of(log).checkpoint()
    assert not check(log.records, log.keys).sound
    with pytest.raises(StoreError, match="hash tree of the log is damaged"):
        log.append([Batch("deal:a", EVENTS + 3, notes(256))])


def test_each_event_at_a_damaged_edge_is_named_alone(log: DealLog) -> None:
    with raw(log) as tables:
        tables.execute("UPDATE edge SET hash = ? WHERE position = 290", (b"\0",))
    problems = [one for one in check(log.records, log.keys).problems if one.kind is Kind.CHANGED]
    assert [one.position for one in problems] == [290]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM properties", "does not say which store"),
        ("UPDATE properties SET value = 'x' WHERE name = 'id'", "of the store x, the keys are of"),
        ("UPDATE properties SET value = 'x' WHERE name = 'origin'", "origin of the log is x"),
    ],
)
def test_a_changed_property_is_told(log: DealLog, statement: str, says: str) -> None:
    with raw(log) as tables:
        tables.execute(statement)
    problems = check(log.records, log.keys).problems
    assert any(one.kind is Kind.PROPERTY and says in one.what for one in problems)
    if "origin" not in statement:
        with pytest.raises(StoreError, match="store"):
            DealLog.open(log.location)
        with DealLog.open(log.location, doubtful_too=True) as other:
            assert not check(other.records, other.keys).sound


TRIGGERS = {
    "sqlite": ["CREATE TRIGGER evil AFTER INSERT ON commands BEGIN DELETE FROM checkpoints; END"],
    "postgres": [
        "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER evil BEFORE INSERT ON commands FOR EACH ROW EXECUTE FUNCTION quiet()",
    ],
}


def test_a_foreign_trigger_is_told(log: DealLog) -> None:
    with raw(log) as tables:
        for statement in TRIGGERS["sqlite" if log.location.database is None else "postgres"]:
            tables.execute(statement)
    found = check(log.records, log.keys).problems
    assert {one.kind for one in found} == {Kind.TABLES}
    assert any("trigger evil is not one of the log" in one.what for one in found)


def test_a_table_that_was_put_there_is_told(log: DealLog) -> None:
    with raw(log) as tables:
        tables.execute("CREATE TABLE more (x TEXT)")
    (found,) = check(log.records, log.keys).problems
    assert (found.kind, found.what) == (Kind.TABLES, "the table more is not one of the log")


@pytest.mark.parametrize(("first", "last"), [(1, EVENTS + 4), (0, 1), (5, 3), (1, -1)])
def test_a_command_that_tells_of_no_versions_there_are_is_told(
    log: DealLog, first: int, last: int
) -> None:
    row = ("ann", "c-1", None, "deal:a", first, last, "2026-01-01T00:00:00.000000Z")
    with raw(log) as tables:
        tables.execute("INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    (found,) = check(log.records, log.keys).problems
    assert found.kind is Kind.COMMAND
    assert "c-1 of ann" in found.what


# Without keys.


def without_keys(location: Location) -> Location:
    return msgspec.structs.replace(location, encryption=NONE)


def test_without_keys_nothing_is_signed_and_everything_else_checked(log: DealLog) -> None:
    own = notary_of(log).verifier_keys()
    with DealLog.open(without_keys(log.location), Ticking()) as other:
        for size in (None, EVENTS):
            with pytest.raises(KeysAbsent):
                notary_of(other).checkpoint(size)

        def checked(*trusted: SigningKey) -> Findings:
            return check(other.records, other.keys, trusted=[one.verifier for one in trusted])

        unchecked = checked()
        assert (unchecked.sound, unchecked.checkpoints) == (True, 1)
        assert unchecked.signatures is Signatures.UNCHECKED
        named = check(other.records, other.keys, trusted=own)
        assert (named.sound, named.signatures) == (True, Signatures.OF_NAMED_KEYS)
        (found,) = checked(STRANGER).problems
        assert "not signed by a trusted key" in found.what
    assert check(log.records, log.keys).signatures is Signatures.OF_KEY_STORE


def test_a_damaged_key_store_is_told_and_the_log_checked(log: DealLog, tmp_path: Path) -> None:
    from tests.store.keys.making import ask

    ask(log.location.keys, "UPDATE signing_keys SET since = 'x'")
    found = check(log.records, log.keys)
    assert [one.kind for one in found.problems] == [Kind.KEYS]
    assert found.signatures is Signatures.UNCHECKED
    ask(log.location.keys, "INSERT INTO erasures(pending, began_at) VALUES ('{', 'then')")
    with pytest.raises(StoreError, match="cannot be read"):
        DealLog.open(log.location)
    with DealLog.open(log.location, doubtful_too=True) as other:
        assert other.doubt is not None
        assert other.head() == EVENTS + 3
