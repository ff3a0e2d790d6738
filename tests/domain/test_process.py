"""Processes as values, and the book in which their published versions stand."""

import pytest

from domain.process import ProcessBook
from domain.refusals import UnknownProcess
from domain.values import ProcessRef
from tests.scenario import LONGER, SHORT


def test_stages_are_found_by_their_id() -> None:
    assert [SHORT.position(stage.id) for stage in SHORT.stages] == [0, 1, 2, 3]
    assert SHORT.stage("closing") is SHORT.stages[2]
    assert (SHORT.position("nowhere"), SHORT.stage("nowhere")) == (None, None)


def test_the_book_answers_by_version() -> None:
    book = ProcessBook([LONGER, SHORT])
    assert book.get(SHORT.ref) is SHORT
    assert book.get(ProcessRef("short", 2)) is LONGER
    assert book.latest("short") is LONGER
    assert SHORT.ref in book
    assert ProcessRef("short", 3) not in book


def test_what_is_not_in_the_book_is_refused_with_what_is() -> None:
    book = ProcessBook([LONGER, SHORT])
    with pytest.raises(UnknownProcess, match=r"no process short/3 .*short/1, short/2\.$"):
        book.get(ProcessRef("short", 3))
    with pytest.raises(UnknownProcess, match=r"no process long/1 "):
        book.latest("long")
    with pytest.raises(UnknownProcess, match=r"Published are: none\.$"):
        ProcessBook().get(SHORT.ref)


def test_publishing_makes_another_book() -> None:
    book = ProcessBook([SHORT])
    assert LONGER.ref in book.with_(LONGER)
    assert LONGER.ref not in book
    assert list(book.with_(LONGER)) == [SHORT, LONGER]
