"""Full names in texts, compared as runs of words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.full_names import LONGEST_RUN, run_of, runs_in


def is_in(name: str, text: str) -> bool:
    run = run_of(name)
    return run is not None and run[1] in runs_in(text, {run[0]})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Nadja Petrova", "so NADJA  Petrova's idea"),
        ("Nadja Petrova", "Nadja\nPetrova, she said"),
        ("Nadja 李娜", "she is nadja李娜, they say"),
        ("李娜", "今天李娜来了"),
        ("Bo Li", "from Bo Li"),
        ("Will", "ask Will."),
        ("Jose\u0301 Ruiz", "Jos\u00e9 Ruiz"),
        ("a b c d e f g h i j", "x a b c d e f g h i j"),
    ],
)
def test_a_name_is_found(name: str, text: str) -> None:
    assert is_in(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Nadja Petrova", "Nadja and Petrova"),
        ("Nadja Petrova", "Petrova Nadja"),
        ("Will", "we will see"),
        ("Will", "Willem"),
        ("R2-D2", "R & D"),
        ("李", "李娜"),
        ("X", "X"),
        ("007", "007"),
    ],
)
def test_what_is_not_the_name_is_not_taken_for_it(name: str, text: str) -> None:
    assert not is_in(name, text)


@given(before=st.text(), name=st.text(), after=st.text())
def test_a_name_among_other_words_is_found(before: str, name: str, after: str) -> None:
    run = run_of(name)
    if run is not None:
        assert 1 <= run[0] <= LONGEST_RUN
        assert is_in(name, f"{before} {name} {after}")
