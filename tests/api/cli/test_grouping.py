"""Groups of figures in tables and CSV."""

import pytest

from api.cli.grouping import group_cell, group_text, unsaid
from api.wire.values import User


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([], []),
        ([["a", "EUR"], ["a", "USD"]], [["a", "EUR"], ["", "USD"]]),
        (
            [["a", "x", "EUR"], ["b", "x", "EUR"], ["b", "x", "USD"]],
            [["a", "x", "EUR"], ["b", "x", "EUR"], ["", "", "USD"]],
        ),
        ([["EUR"], ["EUR"]], [["EUR"], ["EUR"]]),
        ([["a", "EUR"], ["a", "EUR"]], [["a", "EUR"], ["", "EUR"]]),
        ([["", "EUR"]], [["", "EUR"]]),
    ],
)
def test_what_a_row_shares_with_the_one_above_is_not_said_again(
    labels: list[list[str]], told: list[list[str]]
) -> None:
    assert unsaid(labels) == told


@pytest.mark.parametrize(
    ("name", "value", "text", "cell"),
    [
        ("region", None, "(none)", ""),
        ("region", "P1", "P1", "P1"),
        ("stage", "P1", "Proposal", "P1"),
        ("stage", "P9", "P9", "P9"),
        ("owner", User("u-1", "Ann"), "Ann", "Ann"),
        ("owner", User("u-1", None), "u-1", "u-1"),
    ],
)
def test_a_value_is_shown_by_its_name(
    name: str, value: str | User | None, text: str, cell: str
) -> None:
    assert group_text(name, value, {"P1": "Proposal"}) == text
    assert group_cell(value) == cell
