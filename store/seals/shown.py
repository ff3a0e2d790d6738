"""The stored bytes of an event, as a verifier shows them: what they say, and what is encrypted."""

import json
from dataclasses import dataclass
from typing import Any

from store.seals.commitments import commitment, context
from store.seals.notes import decode_base64
from store.seals.proofs import Disclosure

ENCRYPTED = "[encrypted]"
_TYPE = "type"


class UnknownForm(ValueError):
    """The bytes are no event of a form known here."""


@dataclass(frozen=True, slots=True)
class EventShown:
    """An event, read from its stored bytes. Times are in UTC, as written."""

    stream: str
    version: int
    type: str
    occurred_at: str
    known_at: str
    recorded_at: str
    actor: str
    fields: tuple[tuple[str, Any], ...]
    """Public fields of the fact by name, the values as JSON has them."""
    encrypted: tuple[str, ...]
    """Names of the others."""


def show(stored: bytes, disclosures: tuple[Disclosure, ...]) -> tuple[EventShown, list[bool]]:
    """The event, and of each disclosure whether the event holds the commitment to its value.

    Raises UnknownForm.
    """
    try:
        content = json.loads(stored, object_pairs_hook=_without_repetition)
        event = _event(content)
        return event, [_is_committed(one, event, content) for one in disclosures]
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise UnknownForm from None


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name is given twice")
    return content


def _event(content: dict[str, Any]) -> EventShown:
    fact = content["fact"]
    texts = [content["stream"], fact[_TYPE], content["occurred_at"],
             content["known_at"], content["recorded_at"], content["actor"]]  # fmt: skip
    version = content["version"]
    if type(version) is not int or any(not isinstance(text, str) for text in texts):
        raise TypeError("the envelope holds values of other types")
    stream, event_type, occurred_at, known_at, recorded_at, actor = texts
    return EventShown(
        *(stream, version, event_type, occurred_at, known_at, recorded_at, actor),
        fields=tuple((name, value) for name, value in fact.items() if name != _TYPE),
        encrypted=tuple(content.get("encrypted", {}).keys()),
    )


def _is_committed(disclosure: Disclosure, event: EventShown, content: dict[str, Any]) -> bool:
    """Whether the event holds the commitment to this value for this field."""
    if disclosure.field not in event.encrypted:
        return False
    encrypted = content["encrypted"][disclosure.field]
    keys = encrypted["keys"]
    if not isinstance(keys, list) or any(not isinstance(key, str) for key in keys):
        raise TypeError("the names of keys are not texts")
    place = context(event.stream, event.version, event.type, disclosure.field, keys)
    found = commitment(disclosure.salt, place, disclosure.value.encode())
    return found == decode_base64(encrypted["commitment"])


def to_json(value: Any) -> str:
    """A value of a field in one line."""
    return json.dumps(value, ensure_ascii=False)
