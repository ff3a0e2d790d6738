"""How answers are printed: tables for people, JSON and CSV for programs.

On a terminal tables fit its width; elsewhere they are plain and as wide as they
need to be. Text from the store is shown without its control characters, so that
a deal's name cannot command the terminal.
"""

import sys
from collections.abc import Callable, Container, Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from api.plain import clean, clean_lines

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


class Format(StrEnum):
    """How a listing is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Shape(StrEnum):
    """How a single answer is printed."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[
    Format,
    typer.Option("--format", "-f", metavar="table|json|csv", help="How to print the answer."),
]
ShapeOption = Annotated[
    Shape, typer.Option("--format", "-f", metavar="text|json", help="How to print the answer.")
]


def say(text: str = "") -> None:
    """A line of the answer."""
    print(text)


def note(text: str) -> None:
    """A line beside the answer."""
    print(clean_lines(text), file=sys.stderr, flush=True)


def note_caveats(caveats: Iterable[str]) -> None:
    """What limits an answer, beside it."""
    for caveat in caveats:
        note(f"Note: {caveat}.")


def print_json(answer: msgspec.Struct) -> None:
    """The answer as HTTP gives it, indented."""
    print(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A header and the rows, quoted as RFC 4180 says, a line feed behind each."""
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


class Column(msgspec.Struct, frozen=True):
    """A column of a table."""

    title: str
    right: bool = False
    wraps: bool = False
    """May take several lines where there is little room."""
    spare: bool = False
    """Left out where there is still less."""


NARROWEST = 24
"""A column that wraps keeps this many cells, if it has as many."""

_BETWEEN = 2
_PLAIN = "    \n    \n -- \n    \n -- \n -- \n    \n    \n"
"""The lines of a table as Rich wants them told: one under the header, one above the totals."""


def print_table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    totals: Sequence[Sequence[str]] = (),
    strong: Container[int] = (),
) -> None:
    """The rows in columns, the totals under a line. `strong`: indexes of rows that stand out."""
    from rich.console import Console
    from rich.text import Text

    cells = [[Text(clean(cell)) for cell in row] for row in rows]
    sums = [[Text(clean(cell)) for cell in row] for row in totals]
    on_terminal = sys.stdout.isatty()
    console = Console(width=None if on_terminal else 100_000, highlight=False)
    widths = _least_widths(columns, [*cells, *sums])
    kept = _kept(columns, widths, console.width)
    table = _empty_table(columns, widths, kept, on_terminal)
    for index, row in enumerate(cells):
        style = "bold" if index in strong else None
        table.add_row(*(row[column] for column in kept), style=style)
    if sums:
        table.add_section()
    for row in sums:
        table.add_row(*(row[column] for column in kept), style="bold")
    with console.capture() as capture:
        console.print(table)
    print("\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n")))
    left_out = [column.title for index, column in enumerate(columns) if index not in kept]
    if left_out:
        note(f"For want of room without: {', '.join(left_out)}.")


def _least_widths(columns: Sequence[Column], rows: "Sequence[Sequence[Text]]") -> list[int]:
    """How many cells each column needs at least."""
    from rich.cells import cell_len

    widths = []
    for index, column in enumerate(columns):
        longest = max((row[index].cell_len for row in rows), default=0)
        needed = max(longest, cell_len(column.title))
        widths.append(min(needed, NARROWEST) if column.wraps else needed)
    return widths


def _kept(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """The indexes of the columns that there is room for; the last spare ones go first."""
    kept = list(range(len(columns)))
    for index in reversed(range(len(columns))):
        if sum(widths[i] for i in kept) + _BETWEEN * (len(kept) - 1) <= room:
            break
        if columns[index].spare:
            kept.remove(index)
    return kept


def _empty_table(
    columns: Sequence[Column], widths: Sequence[int], kept: Sequence[int], on_terminal: bool
) -> "Table":
    from rich.box import SIMPLE_HEAD, Box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=SIMPLE_HEAD if on_terminal else Box(_PLAIN, ascii=True),
        show_edge=False,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for index in kept:
        column = columns[index]
        table.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            no_wrap=not column.wraps,
            min_width=widths[index],
            overflow="fold",
        )
    return table


class Field(msgspec.Struct, frozen=True):
    """A column of a listing as CSV: its name and how to read it."""

    name: str
    read: Callable[[Any], object]


def fields_of(answer: type[msgspec.Struct]) -> list[Field]:
    """The columns of a listing of such answers.

    An amount is two columns, the amount and its currency, a user two, the id and
    the name; lists and objects are written as JSON.
    """
    from msgspec import inspect

    from api.wire.values import Amount, User

    struct = inspect.type_info(answer)
    assert isinstance(struct, inspect.StructType)
    found: list[Field] = []
    for field in struct.fields:
        types = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        classes = [one.cls for one in types if isinstance(one, inspect.StructType)]
        name = field.name
        if classes == [Amount]:
            found += [
                Field(name, _reader(name, "amount")),
                Field(f"{name}_currency", _reader(name, "currency")),
            ]
        elif classes == [User]:
            found += [
                Field(f"{name}_id", _reader(name, "id")),
                Field(name, _reader(name, "name")),
            ]
        else:
            found.append(Field(name, _reader(name)))
    return found


def _reader(*names: str) -> Callable[[Any], object]:
    def read(answer: Any) -> object:
        for name in names:
            answer = None if answer is None else getattr(answer, name)
        return plain(answer)

    return read


def plain(value: object) -> object:
    """A value as a cell of CSV."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return value
        case list() | dict() | msgspec.Struct():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)


def print_listing(answers: Sequence[msgspec.Struct], answer: type[msgspec.Struct]) -> None:
    """A listing as CSV."""
    fields = fields_of(answer)
    print_csv([f.name for f in fields], ([f.read(one) for f in fields] for one in answers))
