"""The page on who sees which field, and under whose keys it is encrypted."""

from collections.abc import Iterator

from msgspec import inspect

from api.commands import by_family, fields_of
from domain.access import TABLE, Action, Sensitivity
from domain.deal import FACT_TYPES
from domain.directory import UserRegistered
from domain.history import ERASED, HIDDEN, LOST, Fact, stored_name
from store.events.codec import REGISTERED
from store.events.fields import SALT_BYTES, SMALLEST_SECRET_BYTES, STEP_BYTES
from tests.docs.reference.markdown import MADE, link, table

_STEPS = [SMALLEST_SECRET_BYTES * 4**step for step in range(3)]
_AROUND_A_TEXT = 2 + 4 + SALT_BYTES + len('""')
LONGEST_IN_FIRST_STEP = SMALLEST_SECRET_BYTES - _AROUND_A_TEXT
"""Bytes of a secret text; see store/events/fields.py for what stands around it."""

_HEAD = f"""\
# Who sees which field

{MADE}
Every field of every event is public, personal or secret. This page lists those that are not public:
whose they are, under whose keys they are encrypted, and which roles see them on a deal they may
read. [Access](access.md) says who may read which deal.

- **Personal**: it speaks of a customer's person, or is free text that may.
- **Secret**: our marks in a negotiation, what we think of theirs, and why.

Somebody who may not see a field meets `{HIDDEN}` where a text stands, an id where the name of a
person stands, and nothing where anything else stands. What they may not see is not decrypted for
them, and everything that is shown is worked out from the rest: a figure that rests on a secret is
not there either, and whether there is a secret cannot be told. Where the key of somebody was
destroyed, everybody meets `{ERASED}`; where its loss was accepted ([backups](backup.md)), `{LOST}`.

"""

_KEYS = f"""
## Keys

- **Of a person**, whom the field in quotes names: the same on every deal; of somebody who is not
  known as a person, a key for this deal alone. Where it names nobody, the key is the deal's.
- **Of the deal**: for what belongs to nobody in particular.
- **Named in the text**: whose name, or a part of it, occurs in the text. Their keys are needed too.
  Whose these are stands inside the ciphertext, where only the other keys lead.

A field needs all of its keys: once one of them is destroyed, nobody reads it any more.

## What shows nevertheless

Which events there are, when they happened, when they were recorded, and by whom. Beside each
ciphertext stand the names of its keys, but for those of whoever is named in the text. And how long
it is:

- A personal field is filled up to a multiple of {STEP_BYTES} bytes. One that was not given is not
  there, so it shows whether somebody has a title, and not which.
- A secret field is always there, also when it was not given, and is filled up to
  {_STEPS[0]:,} bytes, to {_STEPS[1]:,}, to {_STEPS[2]:,} and so on. A text of up to
  {LONGEST_IN_FIRST_STEP} bytes that names nobody fits the first step; of a longer one it shows, in
  these steps, how long it is.

"""

_PUBLIC = """
## Short texts that are public

Everybody who has a role can see these, some of them in every list. Do not write about people there.

"""

_SHORT_TEXT_CHARACTERS = 500

_BEARER_ALONE = "name"
"""The field that is its bearer's alone; see domain/subjects.py."""


def audience() -> str:
    """Every field that is not public."""
    parts = [_HEAD + _roles() + _KEYS + "## Fields"]
    for family, members in by_family(FACT_TYPES).items():
        parts.append(_section(family, [row for one in members for row in _rows(one)]))
    beside = [one for one in REGISTERED if one not in FACT_TYPES]
    parts.append(_section("Beside the deals", [row for one in beside for row in _rows(one)]))
    shown = [[link(stored_name(one), "events.md"), ", ".join(_short_texts(one))] for one in
             REGISTERED if list(_short_texts(one))]  # fmt: skip
    parts.append(_PUBLIC.strip() + "\n\n" + table(["event", "fields"], shown))
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _roles() -> str:
    header = ["role", "where", *(one.value for one in Sensitivity)]
    return table(
        header,
        [
            [right.role, right.reach, *("yes" if s in right.visible else "no" for s in Sensitivity)]
            for right in TABLE
            if Action.READ in right.actions
        ],
    )


def _section(title: str, rows: list[list[str]]) -> str:
    header = ["event", "field", "is", "keys", "seen by"]
    return f"### {title}\n\n{table(header, rows) if rows else 'All fields are public.'}"


def _rows(fact_type: type[Fact]) -> Iterator[list[str]]:
    """A row for each field that is not public, in order."""
    for field in fields_of(fact_type):
        if field.name in fact_type.secret:
            sensitivity, keys = Sensitivity.SECRET, ["the deal"]
        elif field.name in fact_type.personal:
            sensitivity = Sensitivity.PERSONAL
            keys = [_person(one) for one in fact_type.personal[field.name]] or ["the deal"]
        else:
            continue
        of_deal = fact_type in FACT_TYPES
        if of_deal and _holds_text(field.type) and field.name != _BEARER_ALONE:
            keys.append("whoever is named in the text")
        yield [
            link(stored_name(fact_type), "events.md"),
            f"`{field.encode_name}`",
            sensitivity.value,
            ", ".join(keys),
            _seen_by(fact_type, field.name, sensitivity),
        ]


def _person(field: str) -> str:
    """Who is meant by the field that names them."""
    return "who took part in `contact`" if field == "contact" else f"`{field}`"


def _seen_by(fact_type: type[Fact], field: str, sensitivity: Sensitivity) -> str:
    if fact_type is UserRegistered and field == "name":
        return "everybody who has a role"
    needed = Action.READ if fact_type in FACT_TYPES else Action.AUDIT
    return ", ".join(
        dict.fromkeys(
            right.role.value
            for right in TABLE
            if needed in right.actions and sensitivity in right.visible
        )
    )


def _holds_text(kind: inspect.Type) -> bool:
    match kind:
        case inspect.StrType():
            return True
        case inspect.UnionType(types=types):
            return any(map(_holds_text, types))
        case inspect.VarTupleType(item_type=item):
            return _holds_text(item)
        case inspect.StructType(fields=parts):
            return any(_holds_text(part.type) for part in parts)
        case _:
            return False


def _short_texts(fact_type: type[Fact]) -> Iterator[str]:
    """The public fields of a type that hold short texts, or are made of what does."""
    for field in fields_of(fact_type):
        hidden = field.name in fact_type.personal or field.name in fact_type.secret
        if not hidden and _holds_short_text(field.type):
            yield f"`{field.encode_name}`"


def _holds_short_text(kind: inspect.Type) -> bool:
    match kind:
        case inspect.StrType(max_length=longest, pattern=None):
            return longest == _SHORT_TEXT_CHARACTERS
        case inspect.UnionType(types=types):
            return any(map(_holds_short_text, types))
        case inspect.VarTupleType(item_type=item):
            return _holds_short_text(item)
        case inspect.StructType(fields=parts):
            return any(_holds_short_text(part.type) for part in parts)
        case _:
            return False
