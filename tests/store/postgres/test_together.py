"""Threads that append at the same time share a transaction, and nothing else."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest
from eventsourcing.persistence import IntegrityError

from store.errors import NotStorable, StoreBusy, StoreUnavailable
from store.postgres.recorder import LogRecorder
from store.postgres.together import Append, Together

PATIENCE_SECONDS = 30


class Slow:
    """Writes nothing, as slowly as asked; refuses streams by their name."""

    def __init__(self) -> None:
        self.written: list[list[str]] = []
        self.entered, self.go_on = Event(), Event()
        self.head = 0

    def __call__(self, some: Sequence[Append]) -> int:
        self.entered.set()
        assert self.go_on.wait(PATIENCE_SECONDS)
        names = [row[0] for one in some for row in one.rows]
        self.written.append(names)
        errors: dict[str, BaseException] = {
            "taken": IntegrityError("taken"),
            "nul": NotStorable("nul", "Correct it."),
            "busy": StoreBusy("busy", "Try again."),
            "interrupted": KeyboardInterrupt(),
        }
        for name in names:
            if name in errors:
                raise errors[name]
        self.head += len(names)
        return self.head


def lined_up(write: Slow, *names: str) -> list[Future[int]]:
    """The first append is being written when the others come, in this order."""
    together = Together(write, most_rows=4)
    with ThreadPoolExecutor(len(names)) as threads:
        futures: list[Future[int]] = []
        for name in names:
            rows = [(stream, 1, "t", b"") for stream in name.split()]
            futures.append(threads.submit(together.append, Append(rows, None)))
            assert write.entered.wait(PATIENCE_SECONDS)
            while len(together._line) < len(futures) - 1:
                pass
        write.go_on.set()
    return futures


def test_those_who_wait_are_written_together_in_order() -> None:
    write = Slow()
    futures = lined_up(write, "a", "b", "c d", "e")
    assert write.written == [["a"], ["b", "c", "d", "e"]]
    assert [future.result() for future in futures] == [1, 2, 4, 5]


def test_no_more_than_fit_are_written_together() -> None:
    write = Slow()
    futures = lined_up(write, "a", "b", "c d", "e f", "g")
    assert write.written == [["a"], ["b", "c", "d"], ["e", "f", "g"]]
    assert [future.result() for future in futures] == [1, 2, 4, 6, 7]


@pytest.mark.parametrize("bad", ["taken", "nul"])
def test_one_that_is_refused_fails_alone(bad: str) -> None:
    write = Slow()
    first, second, third, fourth = lined_up(write, "a", "b", bad, "c")
    assert write.written == [["a"], ["b", bad, "c"], ["b"], [bad], ["c"]]
    assert [first.result(), second.result(), fourth.result()] == [1, 2, 3]
    with pytest.raises((IntegrityError, NotStorable), match=bad):
        third.result()


def test_all_are_told_that_the_log_is_busy_and_the_next_one_has_a_turn() -> None:
    write = Slow()
    futures = lined_up(write, "a", "b", "c d busy", "e")
    assert write.written == [["a"], ["b", "c", "d", "busy"], ["e"]]
    for future in futures[1:3]:
        with pytest.raises(StoreBusy):
            future.result()
    assert (futures[0].result(), futures[3].result()) == (1, 2)


def test_an_interrupted_thread_leaves_none_waiting() -> None:
    write = Slow()
    first, second, third = lined_up(write, "a", "b interrupted", "c")
    assert first.result() == 1
    with pytest.raises(KeyboardInterrupt):
        second.result()
    with pytest.raises(StoreUnavailable, match="interrupted"):
        third.result()


def test_who_leaves_the_line_gives_the_turn_on() -> None:
    write = Slow()
    together = Together(write, most_rows=4)
    leaving, staying = Append([("a", 1, "t", b"")], None), Append([("b", 1, "t", b"")], None)
    turn_of_leaving, turn_of_staying = leaving.woken, staying.woken = Event(), Event()
    together._line.extend([leaving, staying])
    together._is_writing = True
    turn_of_leaving.set()
    together._leave(leaving)
    assert turn_of_staying.is_set()
    assert list(together._line) == [staying]
    turn_of_staying.clear()
    together._leave(staying)
    assert not turn_of_staying.is_set()


def test_appends_to_one_stream_in_one_transaction(recorder: LogRecorder) -> None:
    def row(version: int) -> tuple[str, int, str, bytes]:
        return ("deal:d-1", version, "note-added@1", b"{}")

    one, other = Append([row(1), row(2)], None), Append([row(3)], None)
    assert recorder._write_together([one, other]) == 3
    with pytest.raises(IntegrityError, match="has no version 5"):
        recorder._write_together([Append([row(4)], None), Append([row(6)], None)])
    assert recorder.head() == 3
