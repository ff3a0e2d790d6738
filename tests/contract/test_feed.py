"""The feed gives every event once, in the order of commits, at positions without gaps."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.history import Draft, Fact
from domain.lifecycle.commands import AddNote
from domain.refusals import VersionConflict
from store.errors import NotStorable
from store.events.writing import Batch
from store.log import DealLog
from tests.conftest import NewLocation
from tests.contract.asking import OPEN, OPENED, Ticking, draft, intent, notes
from tests.strategies import drafts

STREAMS = ["deal:a", "deal:b", "process:a", "user:a"]

appends = st.lists(
    st.lists(
        st.tuples(st.sampled_from(STREAMS), st.lists(drafts(), max_size=3), st.booleans()),
        max_size=4,
    ),
    max_size=6,
)
"""Appends of several batches each; the flag says whether the version is named rightly."""


@given(appends=appends, page=st.integers(1, 9))
def test_the_feed_is_what_was_appended_in_order(
    new_location: NewLocation,
    appends: list[list[tuple[str, list[Draft[Fact]], bool]]],
    page: int,
) -> None:
    with DealLog.create(new_location(), Ticking()) as log:
        expected: list[tuple[str, int, type[Fact]]] = []
        facts: dict[str, list[Fact]] = {stream: [] for stream in STREAMS}
        heads = dict.fromkeys(STREAMS, 0)
        for batches in appends:
            ahead = dict(heads)
            asked = [_batch(ahead, *batch) for batch in batches]
            if all(right or not some for _, some, right in batches):
                assert log.append(asked) == len(expected) + sum(len(some) for _, some, _ in batches)
                heads = ahead
                for batch in asked:
                    facts[batch.stream] += [each.fact for each in batch.drafts]
                expected += [
                    (batch.stream, version, type(each.fact))
                    for batch in asked
                    for version, each in enumerate(batch.drafts, batch.expected_version + 1)
                ]
            else:
                with pytest.raises(VersionConflict):
                    log.append(asked)
        assert log.head() == len(expected)
        read = _read(log, page)
        assert [position for position, *_ in read] == list(range(1, len(expected) + 1))
        assert [tuple(rest) for _, *rest in read] == expected
        for stream, head in heads.items():
            assert [event.version for event in log.events_in(stream)] == list(range(1, head + 1))
            assert [event.fact for event in log.events_in(stream)] == facts[stream]


def _batch(heads: dict[str, int], stream: str, some: Sequence[Draft[Fact]], right: bool) -> Batch:
    batch = Batch(stream, heads[stream] + (not right), some)
    heads[stream] += len(some)
    return batch


def _read(log: DealLog, page: int) -> list[tuple[int, str, int, type[Fact]]]:
    """The whole feed, page by page, without what it hides."""
    read: list[tuple[int, str, int, type[Fact]]] = []
    while found := log.feed(len(read), page):
        assert len(found) <= page
        read += [(p.position, p.event.stream, p.event.version, type(p.event.fact)) for p in found]
    return read


def test_failed_appends_leave_no_gap(log: DealLog) -> None:
    log.handle("d-1", OPEN, intent("c-1"))
    for _ in range(3):
        with pytest.raises(NotStorable):
            log.append([Batch("deal:d-2", 0, [*notes(10), draft(OPENED, actor=None)])])
    log.handle("d-1", AddNote("x"), intent("c-2"))
    assert [found.position for found in log.feed(0, 10)] == [1, 2]


def test_the_feed_goes_on_behind_a_position(log: DealLog) -> None:
    log.append([Batch("deal:d-1", 0, notes(5))])
    assert [found.position for found in log.feed(3, 10)] == [4, 5]
    assert [found.position for found in log.feed(1, 2)] == [2, 3]
    assert log.feed(5, 10) == []
    assert log.feed(99, 10) == []


def test_positions_of_a_stream(log: DealLog) -> None:
    log.append([Batch("deal:d-1", 0, notes(2)), Batch("deal:d-2", 0, notes(1))])
    log.append([Batch("deal:d-1", 2, notes(1))])
    assert log.positions("deal:d-1") == {1: 1, 2: 2, 3: 4}
    assert log.positions("deal:d-2") == {1: 3}
    assert log.positions("deal:d-3") == {}


def test_an_empty_log_has_an_empty_feed(log: DealLog) -> None:
    assert (log.head(), log.feed(0, 10)) == (0, [])
