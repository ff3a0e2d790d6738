"""The header that says who asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth.bearer import LONGEST, UnusableHeader, token_of


@pytest.mark.parametrize(
    "header", ["Bearer a.b-c_d~e+f/g==", "bearer x", "BEARER  x ", "Bearer x="]
)
def test_a_token_is_read(header: str) -> None:
    assert token_of([header]) == header.split(" ", 1)[1].strip()


@pytest.mark.parametrize("headers", [[], [""], ["Basic YTpi"], ["Bearers x"], ["x"]])
def test_other_schemes_are_no_token(headers: list[str]) -> None:
    assert token_of(headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        ["Bearer"],
        ["Bearer "],
        ["Bearer a b"],
        ["Bearer a,Bearer b"],
        ["Bearer =a"],
        ["Bearer é"],
        ["Bearer a\x00"],
        ["Bearer a", "Bearer a"],
        ["Basic YTpi", "Bearer a"],
        ["Bearer " + "a" * LONGEST],
        ["Basic " + "a" * LONGEST],
    ],
)
def test_what_cannot_be_read_is_told_without_being_repeated(headers: list[str]) -> None:
    with pytest.raises(UnusableHeader) as told:
        token_of(headers)
    assert str(told.value).startswith("Authorization: it is")


@given(st.lists(st.text(), max_size=3))
def test_any_header_is_a_token_or_none_or_told(headers: list[str]) -> None:
    try:
        token = token_of(headers)
    except UnusableHeader:
        return
    assert token is None or token in headers[0]
