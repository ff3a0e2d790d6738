"""Files of one call are held against each other: two histories of one log are told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.seals import tiles
from store.seals.proofs import write_consistency, write_receipt
from store.seals.verify import FileResult, Trust, main, report_files, verify_files
from tests.store.seals.made import (
    EVENTS,
    LOG,
    LOG_KEY,
    OTHER_LOG_KEY,
    checkpoint_note,
    consistency,
    event,
    log_of_events,
    receipt,
)
from tests.store.seals.reference import MemoryLog

FORKED_AT = 50
FORK_EVENTS = [*EVENTS[:FORKED_AT], event(51, actor="user:u2"), *EVENTS[51:]]
FORK = log_of_events(FORK_EVENTS)
TRUST = Trust((LOG_KEY.verifier, OTHER_LOG_KEY.verifier))
TWO_HISTORIES = "contradict each other: one log, two histories"


def together(*texts: str) -> list[FileResult]:
    """Files with the names 0, 1, 2…"""
    contents = [(str(name), text.encode()) for name, text in enumerate(texts)]
    return verify_files(contents, TRUST)[0]


def fork_consistency(old: int, new: int, log: MemoryLog = FORK) -> str:
    hashes = tiles.consistency_proof(log, old, new)
    return write_consistency(hashes, checkpoint_note(log, new), checkpoint_note(log, old))


def fork_receipt(index: int, size: int) -> str:
    proof = tiles.inclusion_proof(FORK, index, size)
    return write_receipt(FORK_EVENTS[index], index, proof, checkpoint_note(FORK, size))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (checkpoint_note(LOG, 300), checkpoint_note(FORK, 300)),
        (receipt(4, 300), checkpoint_note(FORK, 300)),
        (receipt(4, 300), fork_receipt(4, 300)),
        (consistency(100, 300), checkpoint_note(FORK, 300)),
        (consistency(100, 300), checkpoint_note(FORK, 100)),
        (consistency(100, 300), fork_consistency(60, 100)),
        # The sizes differ, and the same place holds two events.
        (receipt(FORKED_AT, 100), fork_receipt(FORKED_AT, 300)),
    ],
)
def test_two_histories_of_one_log_do_not_verify(one: str, other: str) -> None:
    for texts in ((one, other), (other, one)):
        first, second = together(*texts)
        assert first.problem == f"0 and 1 {TWO_HISTORIES}"
        assert second.problem == f"1 and 0 {TWO_HISTORIES}"


def test_the_same_version_cannot_stand_at_two_places() -> None:
    moved = log_of_events([event(900), *EVENTS])
    proof = tiles.inclusion_proof(moved, 5, 301)
    other = write_receipt(EVENTS[4], 5, proof, checkpoint_note(moved, 301))
    assert not any(one.verified for one in together(receipt(4, 300), other))


def test_checkpoints_that_no_proof_relates_are_not_compared() -> None:
    texts = checkpoint_note(LOG, 100), receipt(4, 300)
    first, second = together(*texts)
    assert (first.verified, first.agrees_with, first.not_compared_with) == (True, (), ("1",))
    assert (second.verified, second.not_compared_with) == (True, ("0",))
    linked = together(*texts, consistency(100, 300))
    assert [one.agrees_with for one in linked] == [("1", "2"), ("0", "2"), ("0", "1")]
    assert not any(one.not_compared_with for one in linked)


def test_a_beginning_in_common_shows_nothing() -> None:
    old = fork_consistency(FORKED_AT, 100), fork_consistency(FORKED_AT, 300, LOG)
    assert [one.not_compared_with for one in together(*old)] == [("1",), ("0",)]
    both_begin_it = consistency(60, 300), consistency(100, 300)
    assert [one.agrees_with for one in together(*both_begin_it)] == [("1",), ("0",)]


def test_consistency_leads_over_several_files() -> None:
    texts = checkpoint_note(LOG, 10), consistency(10, 100), consistency(100, 300), receipt(4, 300)
    assert all(len(one.agrees_with) == 3 for one in together(*texts))
    cut = together(texts[0], texts[1], texts[3])
    assert [one.agrees_with for one in cut] == [("1",), ("0",), ()]


def test_every_log_begins_with_no_events() -> None:
    first, second = together(checkpoint_note(LOG, 0), checkpoint_note(LOG, 300))
    assert (first.agrees_with, second.agrees_with) == (("1",), ("0",))


def test_files_of_two_logs_have_nothing_to_do_with_each_other() -> None:
    other = checkpoint_note(FORK, 300, OTHER_LOG_KEY, origin=OTHER_LOG_KEY.name)
    for one in together(checkpoint_note(LOG, 300), other):
        assert (one.verified, one.agrees_with, one.not_compared_with) == (True, (), ())


def test_a_file_that_does_not_verify_is_held_against_nothing() -> None:
    bad = receipt().replace("index 4", "index 5")
    first, second = together(bad, checkpoint_note(FORK, 300))
    assert (first.verified, second.verified, second.agrees_with) == (False, True, ())


@given(
    st.lists(
        st.sampled_from(
            [
                checkpoint_note(LOG, 60),
                consistency(60, 100),
                consistency(100, 300),
                receipt(7, 60),
                receipt(7, 300),
            ]
        ),
        max_size=6,
    )
)
def test_one_history_never_contradicts_itself(texts: list[str]) -> None:
    results = together(*texts)
    assert all(one.verified for one in results)
    for one in results:
        told = (*one.agrees_with, *one.not_compared_with)
        assert sorted(told) == [str(at) for at in range(len(texts)) if str(at) != one.name]


def test_the_command_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def write(name: str, text: str) -> str:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return str(file)

    key = ("--key", str(LOG_KEY.verifier))
    kept, fork = write("kept", checkpoint_note(LOG, 300)), write("fork", fork_receipt(4, 300))
    assert main([*key, kept, fork]) == 3
    printed = capsys.readouterr().out
    assert f"{kept}: NOT VERIFIED: {kept} and {fork} {TWO_HISTORIES}" in printed
    older, link = write("older", checkpoint_note(LOG, 100)), write("link", consistency(100, 300))
    assert main([*key, kept, older]) == 0
    assert f"  not compared with {older}: needs a proof of consistency" in capsys.readouterr().out
    assert main([*key, kept, older, link]) == 0
    printed = capsys.readouterr().out
    assert f"  agrees with {older}, {link}" in printed
    assert "not compared" not in printed


def told_of(*texts: str) -> list[str]:
    contents = [(str(name), text.encode()) for name, text in enumerate(texts)]
    lines = report_files(*verify_files(contents, TRUST))
    return [line for line in lines if "ersions" in line]


def test_several_receipts_of_a_stream_tell_which_versions_there_are() -> None:
    (whole,) = told_of(receipt(0, 300), receipt(1, 300), receipt(2, 300))
    assert whole.startswith("The versions 1 to 3 of deal:4f1c are in the log, none left out.")
    assert whole.endswith("Receipts cannot show that none came after.")
    assert told_of(receipt(1, 300), receipt(4, 300), receipt(5, 300)) == [
        "Of the versions 1 to 6 of deal:4f1c these files do not show 1, 3 to 4."
    ]
    assert told_of(receipt(1, 300), receipt(2, 100)) == []
