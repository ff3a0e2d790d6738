"""How the pages of the reference are written: tables, types, examples."""

from collections.abc import Container, Iterable, Mapping, Sequence

from msgspec import inspect

from api.commands import in_words, otherwise
from api.meanings import field_meaning, named_types

MADE = "<!-- Made from the code by `python -m tests.docs.reference`; a test compares it. -->\n"

_TEXTS = {200: "id", 500: "short text", 20_000: "text"}
TEXTS = "An *id* has up to 200 characters, a *short text* up to 500, a *text* up to 20,000."


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def code(language: str, text: str) -> str:
    """A block of code."""
    return f"```{language}\n{text}\n```\n"


def link(name: str, page: str = "") -> str:
    """A link to the heading of a type: a command, an event or a value."""
    return f"[`{name}`]({page}#{name.lower()})"


def fields_table(
    fields: Iterable[inspect.Field],
    owners: Iterable[type],
    values_page: str = "",
    marks: Mapping[str, Container[str]] | None = None,
) -> str:
    """The fields of a type. `marks`: words in front of the meaning, and the fields they are for."""
    owners = list(owners)
    rows = [
        [
            f"`{field.encode_name}`",
            type_words(field.type, values_page),
            _default(field),
            _marked(field, marks or {}) + field_meaning(field, owners),
        ]
        for field in fields
    ]
    return table(["field", "type", "default", "meaning"], rows) if rows else ""


def _default(field: inspect.Field) -> str:
    words = otherwise(field)
    if not words:
        return "required"
    return words if words in {"none", "as before"} else f"`{words}`"


def _marked(field: inspect.Field, marks: Mapping[str, Container[str]]) -> str:
    return "".join(f"**{words}** " for words, names in marks.items() if field.name in names)


def type_words(kind: inspect.Type, values_page: str = "") -> str:
    """A type in words, where enumerations and values are links."""
    match kind:
        case inspect.UnionType(types=types):
            return " or ".join(type_words(one, values_page) for one in types)
        case inspect.VarTupleType(item_type=item, min_length=least):
            return f"list of {'one or more: ' if least else ''}{type_words(item, values_page)}"
        case inspect.StrType(max_length=longest, pattern=None) if longest in _TEXTS:
            return _TEXTS[longest]
        case _:
            named = named_types(kind)
            return link(named[0].__name__, values_page) if named else in_words(kind)
