"""Texts in statements, whatever is in them."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.columns.relation import literal


@pytest.mark.parametrize("text", ["", "d-1", "o'neil", "'; DROP TABLE periods; --", "日本\0"])
def test_a_text_stays_what_it_is(text: str) -> None:
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {literal(text)}").fetchall() == [(text,)]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_it_has_no_characters_that_end_a_text(text: str) -> None:
    assert literal(text).isascii()
    assert literal(text).count("'") == 2
