"""The commitment and its context have one form, which other programs can make too."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.seals.commitments import commitment, context


def test_the_context_is_a_compact_array() -> None:
    made = context("deal:é", 3, "note-taken", "text", ("deal:é", 'person:"q"'))
    expected = '["dealstate/field/1","deal:é",3,"note-taken","text",["deal:é","person:\\"q\\""]]'
    assert made == expected.encode()


def test_the_commitment_is_a_hash_of_label_salt_context_and_value() -> None:
    salt = bytes(range(32))
    expected = sha256(b"dealstate/commitment/1\x00" + salt + b'["x"]' + b'"v"').digest()
    assert commitment(salt, b'["x"]', b'"v"') == expected


def test_a_salt_has_32_bytes() -> None:
    with pytest.raises(AssertionError):
        commitment(b"short", b"", b"")


_places = st.tuples(
    st.text("ab:", max_size=3),
    st.integers(1, 30),
    st.text("ab", max_size=3),
    st.text("ab", max_size=3),
    st.lists(st.text('a",]', max_size=3), max_size=3),
)


@given(one=_places, other=_places)
def test_different_places_have_different_contexts(
    one: tuple[str, int, str, str, list[str]], other: tuple[str, int, str, str, list[str]]
) -> None:
    assert (context(*one) == context(*other)) == (one == other)
