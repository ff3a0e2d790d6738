"""What happened, in words with people's names, and in data."""

import msgspec

from api.wire.values import Amount, Names
from projections import changes as projected

_SPEAKS_OF_USERS = {
    "owner-changed",
    "team-member-assigned",
    "team-member-released",
    "contact-made",
    "concern-raised",
    "concern-assigned",
    "commitment-recorded",
}


def spoken(event_type: str, what: str, names: Names) -> str:
    """The phrase for an event, with the names of the users that it tells of by their ids."""
    if event_type not in _SPEAKS_OF_USERS:
        return what
    return " ".join(_named(word, names) for word in what.split(" "))


def _named(word: str, names: Names) -> str:
    user_id = word.strip(":,()")
    return word.replace(user_id, names.by_id.get(user_id, user_id)) if user_id else word


class Change(msgspec.Struct, frozen=True):
    """One field of the deal before and after. Users are given by their ids."""

    field: str
    before: str | int | Amount | None
    after: str | int | Amount | None

    @classmethod
    def of(cls, change: projected.Change) -> "Change":
        return cls(
            change.field,
            _value(change.field, change.before),
            _value(change.field, change.after),
        )


def _value(field: str, value: str | int | None) -> str | int | Amount | None:
    if field == "amount" and isinstance(value, str):
        amount, currency = value.split(" ")
        return Amount(amount, currency)
    return value
