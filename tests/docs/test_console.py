"""The comparison of console examples tells right from wrong."""

import pytest

from tests.docs.console import matches


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("a\nb", "a\nb"),
        ("a\n…\nd", "a\nb\nc\nd"),
        ("a\n…\nd", "a\nd"),
        ("a\n…", "a\nb"),
        ("took … s", "took 1.5 s"),
        ("", "anything"),
    ],
)
def test_what_the_page_says_is_printed(expected: str, printed: str) -> None:
    assert matches(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [("a\nb", "a\nc"), ("a\n…\nd", "a\nb"), ("took … s", "took 1.5 m"), ("a", "a\nb")],
)
def test_other_output_is_noticed(expected: str, printed: str) -> None:
    assert not matches(expected, printed)
