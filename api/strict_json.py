"""JSON texts that somebody sends to have something recorded: what is ambiguous is refused.

Theory of operation. msgspec decodes by type, and refuses unknown fields. Three things pass it that
may mean something else than was meant: of two members of one name it takes the last one (RFC 8259,
section 4, leaves it open), a text that `decimal.Decimal` reads may be `1_000`, `1e3` or have digits
of any script, and a number may have been rounded before it was sent. So the members are looked at
once more as they were written. What is on record already is read without this.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from domain.values import Money

B = TypeVar("B", bound=msgspec.Struct)

_AMOUNT = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_MARK = "\ufeff"


class JsonFault(ValueError):
    """It is no JSON text, or one that says the same member twice. Says why."""


def decode_strictly(kind: type[B], content: bytes) -> B:
    """JSON in UTF-8 as `kind`. Whether it is JSON at all is told before what its fields are.

    Raises JsonFault; msgspec.ValidationError for a field that cannot be, with its place.
    """
    text, raw = written(content)
    found = msgspec.json.decode(text, type=kind)
    for place in _misspelt(found, raw, ""):
        raise msgspec.ValidationError(
            f'an amount is text of plain decimal digits, as in "1054.00" - at `${place}`'
        )
    return found


def written(content: bytes) -> tuple[str, Any]:
    """The text, and what it holds; of a number it tells no more than that it is no text.

    Raises JsonFault.
    """
    try:
        text = content.decode().removeprefix(_MARK)
        msgspec.json.decode(text, type=msgspec.Raw)
        return text, _WRITTEN.decode(text)
    except UnicodeError:
        raise JsonFault("it is not UTF-8") from None
    except RecursionError:
        raise JsonFault("it is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise JsonFault(_reason(str(error), text)) from None


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise JsonFault(f"the member {twice[:100]!r} is given more than once")
    return found


def _number(_: str) -> None:
    """A number, which is looked at by its type; one of many digits would take long to read."""


_WRITTEN = json.JSONDecoder(object_pairs_hook=_members, parse_int=_number, parse_float=_number)


def _misspelt(found: Any, raw: Any, place: str) -> Iterator[str]:
    """Where an amount is not written as it is told to be."""
    match found:
        case Money():
            amount = raw["amount"]
            if not (isinstance(amount, str) and _AMOUNT.fullmatch(amount)):
                yield f"{place}.amount"
        case msgspec.Struct():
            for field, name in zip(
                found.__struct_fields__, found.__struct_encode_fields__, strict=True
            ):
                if name in raw:
                    yield from _misspelt(getattr(found, field), raw[name], f"{place}.{name}")
        case tuple() | list():
            for number, (one, own) in enumerate(zip(found, raw, strict=True)):
                yield from _misspelt(one, own, f"{place}[{number}]")


def _reason(told: str, text: str) -> str:
    if _has_half_a_character(text):
        return r"it has half a character, an escape such as \ud800 without its other half"
    if told == "Input data was truncated":
        return "it ends too early"
    return told.removeprefix("JSON is malformed: ")


def _has_half_a_character(text: str) -> bool:
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False
