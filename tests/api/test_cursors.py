"""Cursors come back as they were given, and nothing else is taken for one."""

from base64 import urlsafe_b64encode
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cursors import CursorError, decode_cursor, encode_cursor, packed, unpacked


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("opened_at", 1_700_000_000_000_000),
        ("amount", None),
        ("amount", 0),
        ("expected_close", date(2026, 12, 31)),
        ("expected_close", None),
        ("name", "压机"),
    ],
)
def test_a_cursor_comes_back(sort: str, value: date | str | int | None) -> None:
    cursor = encode_cursor(sort, True, value, "d-1")
    assert cursor.isascii()
    assert "=" not in cursor
    assert decode_cursor(cursor, sort, True) == (value, "d-1")


def test_a_cursor_of_another_order_is_refused() -> None:
    cursor = encode_cursor("name", True, "x", "d-1")
    for sort, descending in (("name", False), ("amount", True)):
        with pytest.raises(CursorError, match="another order"):
            decode_cursor(cursor, sort, descending)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'["amount",true,"text","d"]',
        b'["amount",true,99999999999999999999,"d"]',
        b'["amount",true,1.5,"d"]',
        b'["amount",true,1,"d","more"]',
        b'["amount",true,1,7]',
        b'["expected_close",true,"2026-02-30","d"]',
        b'["expected_close",true,5,"d"]',
        b'["name",true,5,"d"]',
        b"\xff\xfe",
    ],
)
def test_what_was_not_made_here_is_refused(content: bytes) -> None:
    text = urlsafe_b64encode(content).decode().rstrip("=")
    for sort in ("amount", "expected_close", "name"):
        with pytest.raises(CursorError):
            decode_cursor(text, sort, True)


class Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    size: float | None
    deal_id: str


@given(st.floats(allow_nan=False, allow_infinity=False) | st.none(), st.text())
def test_what_is_packed_is_unpacked(size: float | None, deal_id: str) -> None:
    cursor = packed(Place(size, deal_id))
    assert cursor.isascii()
    assert "=" not in cursor
    assert unpacked(cursor, Place) == Place(size, deal_id)


@pytest.mark.parametrize(
    "content", [b"", b"[1]", b"[1,2]", b'["1","d"]', b'[1,"d",2]', b'[1,"\\ud800"]', b"\xff\xfe"]
)
def test_what_was_not_packed_so_is_refused(content: bytes) -> None:
    with pytest.raises(CursorError, match="is not a cursor"):
        unpacked(urlsafe_b64encode(content).decode().rstrip("="), Place)
    with pytest.raises(CursorError, match="is not a cursor"):
        unpacked("日", Place)


@given(st.text())
def test_no_text_is_more_than_refused(text: str) -> None:
    with pytest.raises(CursorError):
        decode_cursor(text, "amount", True)
