"""Cursors: where a listing goes on, as text that its reader hands back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date
from typing import TypeVar

import msgspec


class CursorError(ValueError):
    """A text is not a cursor, or one of another listing."""


_Content = TypeVar("_Content", bound=msgspec.Struct)


def packed(content: msgspec.Struct) -> str:
    """A cursor that holds this."""
    return urlsafe_b64encode(msgspec.json.encode(content)).rstrip(b"=").decode()


def unpacked(text: str, content: type[_Content]) -> _Content:
    """What a cursor holds, the inverse of `packed`. Raises CursorError."""
    try:
        held = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        return msgspec.json.decode(held, type=content)
    except ValueError:
        raise no_cursor(text) from None


def no_cursor(text: str) -> CursorError:
    """What is raised of a text that no answer gave."""
    return CursorError(f"{text!r} is not a cursor; give one as an answer gave it")


class DealCursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Behind which deal, in which order. `value` is what that deal is sorted by."""

    sort: str
    descending: bool
    value: str | int | None
    deal_id: str


_BY_DAY = {"expected_close"}
_BY_TEXT = {"name"}


def encode_cursor(sort: str, descending: bool, value: date | str | int | None, deal_id: str) -> str:
    """The cursor behind a deal."""
    plain = value.isoformat() if isinstance(value, date) else value
    return packed(DealCursor(sort, descending, plain, deal_id))


def decode_cursor(text: str, sort: str, descending: bool) -> tuple[date | str | int | None, str]:
    """Sort value and id of the deal that the cursor of a listing in this order stands behind.

    Raises CursorError.
    """
    cursor = unpacked(text, DealCursor)
    if (cursor.sort, cursor.descending) != (sort, descending):
        raise CursorError("the cursor is of a listing in another order; keep `sort` as it was")
    try:
        return _value(cursor), cursor.deal_id
    except (ValueError, OverflowError):
        raise no_cursor(text) from None


def _value(cursor: DealCursor) -> date | str | int | None:
    match cursor.value:
        case None:
            return None
        case str() as text if cursor.sort in _BY_DAY:
            return date.fromisoformat(text)
        case str() as text if cursor.sort in _BY_TEXT:
            return text
        case int() as number if cursor.sort not in _BY_DAY | _BY_TEXT and abs(number) < 2**63:
            return number
        case _:
            raise ValueError("a value of another kind")
