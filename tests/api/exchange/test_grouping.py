"""Rows brought together, however they lie and however many there are."""

from hypothesis import given
from hypothesis import strategies as st

from api.exchange.grouping import Filed, grouped

rows = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 1), st.integers(1, 999)), unique=True
).map(lambda keys: [Filed(*key, {"line": str(key[2])}) for key in keys])


@given(rows, st.integers(1, 5))
def test_groups_are_whole_and_in_order_whatever_fits_into_memory(
    filed: list[Filed], rows_per_run: int
) -> None:
    groups = [(name, list(members)) for name, members in grouped(filed, rows_per_run)]
    assert [name for name, _ in groups] == sorted({row.group for row in filed})
    assert [row for _, members in groups for row in members] == sorted(filed)


def test_every_row_is_taken_before_the_first_group_comes_out() -> None:
    source = iter([Filed("a", 0, line, {}) for line in range(1, 8)])
    next(grouped(source, 2))
    assert list(source) == []
