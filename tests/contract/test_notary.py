"""Checkpoints, receipts and proofs of a log, on every kind of store."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import StoreError
from store.events.writing import Batch
from store.fsck.check import check
from store.log import DealLog
from store.notary import (
    LogContradicted,
    Notary,
    UnknownCheckpoint,
    UnknownEvent,
    WitnessAnswer,
    WitnessRefused,
)
from store.seals.merkle import leaf_hash
from store.seals.notes import (
    Checkpoint,
    SignatureType,
    SigningKey,
    parse_checkpoint,
    parse_note,
    sign,
)
from store.seals.verify import ConsistencyFinding, ReceiptFinding, Trust, verify_text
from store.seals.witness import Cosigned, SizeConflict, Witness
from tests.conftest import NewLocation
from tests.contract.asking import Ticking, notes
from tests.contract.tampering import raw

WITNESS = SigningKey.from_seed("witness/one", SignatureType.COSIGNATURE, bytes(range(32)))
OTHER_LOG = SigningKey.from_seed("other", SignatureType.ED25519, bytes(range(32)))


@pytest.fixture
def notary(log: DealLog) -> Notary:
    return Notary(log.records, log.keys, log.now)


def add(log: DealLog, count: int) -> None:
    log.append([Batch("deal:a", log.records.version("deal:a"), notes(count))])


def told(note: str) -> Checkpoint:
    return parse_checkpoint(parse_note(note).text)


@settings(max_examples=5)
@given(parts=st.lists(st.integers(1, 300), min_size=2, max_size=4), data=st.data())
def test_whatever_the_size_all_proofs_verify(
    new_location: NewLocation, parts: list[int], data: st.DataObject
) -> None:
    with DealLog.create(new_location(), Ticking()) as log:
        notary = Notary(log.records, log.keys, log.now)
        sizes = []
        for number, count in enumerate(parts):
            add(log, count)
            sizes.append(told(notary.checkpoint()).size)
            if number == 0:
                notary.add_signing_key()
        trust = Trust(tuple(notary.verifier_keys()))
        version = data.draw(st.integers(1, sizes[-1]))
        receipt = verify_text(notary.receipt("deal:a", version), trust)
        assert isinstance(receipt, ReceiptFinding)
        assert (receipt.event.version, receipt.index) == (version, version - 1)
        for old, new in pairwise(sizes):
            assert isinstance(verify_text(notary.consistency(old, new), trust), ConsistencyFinding)
        positions = [1, version, sizes[-1]]
        stored = {p: s for p, _, _, _, s in log.records.feed(0, sizes[-1])}
        assert notary.leaves(positions) == {p: leaf_hash(stored[p]) for p in positions}
        assert check(log.records, log.keys).sound


def test_a_checkpoint_is_repeated_while_nothing_is_recorded(log: DealLog, notary: Notary) -> None:
    first = notary.checkpoint()
    assert notary.checkpoint() == first
    add(log, 1)
    assert told(notary.checkpoint()).size == 1
    assert [row.size for row in notary.checkpoints()] == [0, 1]


def test_there_is_no_receipt_of_what_is_not_there(log: DealLog, notary: Notary) -> None:
    add(log, 2)
    for stream, version in (("deal:a", 0), ("deal:a", 3), ("deal:b", 1)):
        with pytest.raises(UnknownEvent):
            notary.receipt(stream, version)


def test_all_receipts_of_a_stream_stand_under_one_checkpoint(log: DealLog, notary: Notary) -> None:
    add(log, 2)
    notary.checkpoint()
    log.append([Batch("deal:b", 0, notes(2, "deal:b"))])
    add(log, 3)
    trust = Trust(tuple(notary.verifier_keys()))
    found = [verify_text(text, trust) for text in notary.receipts("deal:a")]
    told = [(r.event.version, r.position, r.under.checkpoint.size) for r in found
            if isinstance(r, ReceiptFinding)]  # fmt: skip
    assert told == [(1, 1, 7), (2, 2, 7), (3, 5, 7), (4, 6, 7), (5, 7, 7)]
    assert notary.receipts("deal:c") == []


def test_one_event_is_found_by_its_version(log: DealLog) -> None:
    add(log, 2)
    log.append([Batch("deal:b", 0, notes(1, "deal:b"))])
    (row,) = log.records.rows("deal:b")
    assert log.records.event("deal:b", 1) == (3, row[3])
    for stream, version in (("deal:b", 0), ("deal:b", 2), ("deal:c", 1)):
        assert log.records.event(stream, version) is None


def test_one_checkpoint_is_found_by_its_size(log: DealLog, notary: Notary) -> None:
    assert log.records.last_checkpoint() is None
    assert log.records.checkpoint(0) is None
    notary.checkpoint()
    add(log, 2)
    notary.checkpoint()
    both = log.records.checkpoints()
    assert [log.records.checkpoint(size) for size in (0, 1, 2)] == [both[0], None, both[1]]
    assert log.records.last_checkpoint() == both[1]


def test_only_checkpoints_that_were_made_are_compared(log: DealLog, notary: Notary) -> None:
    notary.checkpoint()
    add(log, 2)
    notary.checkpoint()
    for old, new in ((0, 2), (2, 0), (1, 2), (2, 3)):
        with pytest.raises(UnknownCheckpoint):
            notary.consistency(old, new)


def test_a_receipt_stands_under_the_last_checkpoint_that_covers_it(
    log: DealLog, notary: Notary
) -> None:
    add(log, 3)
    kept = notary.checkpoint()
    add(log, 1)
    assert notary.receipt("deal:a", 2).endswith(kept)
    newer = notary.receipt("deal:a", 4)
    assert newer.endswith(notary.checkpoint())
    assert told(notary.checkpoint()).size == 4


def test_the_change_of_a_key_is_signed_by_both(log: DealLog, notary: Notary) -> None:
    add(log, 3)
    old = notary.verifier_keys()[0]
    new = notary.add_signing_key()
    note = notary.checkpoints()[-1].note
    for key in (old, new):
        verify_text(note, Trust((key,)))
    assert notary.checkpoint() == note
    add(log, 1)
    later = parse_note(notary.checkpoint())
    assert [one.key_id for one in later.signatures] == [new.id]


def test_nothing_is_signed_that_contradicts_what_was(log: DealLog, notary: Notary) -> None:
    add(log, 3)
    wrong = Checkpoint(notary.origin, 3, bytes(32))
    with pytest.raises(LogContradicted):
        notary.require_begins_with(wrong)
    notary.require_begins_with(told(notary.checkpoint()))
    other = sign(wrong.text(), [OTHER_LOG])
    with pytest.raises(StoreError, match="another checkpoint of 3 events"):
        notary.keep(other)
    with raw(log) as tables:
        tables.execute("UPDATE checkpoints SET note = ?", (other,))
    with pytest.raises(LogContradicted):
        notary.checkpoint()
    add(log, 1)
    with pytest.raises(LogContradicted):
        notary.checkpoint()


# Witnesses.


def asked(witness: Witness) -> Callable[[str], WitnessAnswer]:
    """What a witness answers, as `Notary.cosigned` wants it."""

    def ask(request: str) -> WitnessAnswer:
        answer = witness.add_checkpoint(request.encode())
        match answer:
            case Cosigned(body=body):
                return body
            case SizeConflict(size=size):
                return size
            case _:
                raise AssertionError(answer)

    return ask


def test_a_witness_cosigns_from_where_it_stands(
    log: DealLog, notary: Notary, tmp_path: Path
) -> None:
    witness = Witness(
        WITNESS, notary.verifier_keys(), tmp_path / "state", now=lambda: 1_800_000_000
    )
    ask = asked(witness)
    for count in (3, 300, 0):
        add(log, count)
        cosigned = notary.cosigned(notary.checkpoint(), WITNESS.verifier, ask)
        trust = Trust(tuple(notary.verifier_keys()), (WITNESS.verifier,), 1)
        verify_text(cosigned, trust)
        assert notary.checkpoint() == cosigned


def test_a_witness_that_knows_another_size_is_asked_again(
    log: DealLog, notary: Notary, tmp_path: Path
) -> None:
    add(log, 3)
    ask = asked(Witness(WITNESS, notary.verifier_keys(), tmp_path / "state"))
    without = notary.checkpoint()
    notary.cosigned(without, WITNESS.verifier, ask)
    with raw(log) as tables:
        tables.execute("UPDATE checkpoints SET note = ?", (without,))
    add(log, 4)
    requests: list[str] = []

    def listening(request: str) -> WitnessAnswer:
        requests.append(request.partition("\n")[0])
        return ask(request)

    notary.cosigned(notary.checkpoint(), WITNESS.verifier, listening)
    assert requests == ["old 0", "old 3"]


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([2, 2], "another checkpoint of 2 events"),
        ([3, 4], "another checkpoint of 4 events"),
        (["nonsense"], "is not its cosignature"),
        (["— other/x AAAAAAAA\n"], "is not its cosignature"),
    ],
)
def test_any_other_answer_of_a_witness_is_told(
    log: DealLog, notary: Notary, answers: list[WitnessAnswer], says: str
) -> None:
    add(log, 3)
    before = notary.checkpoint()
    following = iter(answers)
    with pytest.raises(WitnessRefused, match=says):
        notary.cosigned(before, WITNESS.verifier, lambda _: next(following))
    assert notary.checkpoint() == before


@pytest.mark.parametrize(
    ("answers", "says"),
    [([99], "has cosigned 99 events"), ([3, 3], "has cosigned another history")],
)
def test_a_witness_that_has_seen_another_history_contradicts_the_log(
    log: DealLog, notary: Notary, answers: list[WitnessAnswer], says: str
) -> None:
    add(log, 3)
    following = iter(answers)
    with pytest.raises(LogContradicted, match=says):
        notary.cosigned(notary.checkpoint(), WITNESS.verifier, lambda _: next(following))
