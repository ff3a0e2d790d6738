"""How the waterfall is printed, and the deals behind its lines."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from api.cli import shown
from api.cli.drilldown import told_rates
from api.cli.grouping import group_text
from api.cli.output import (
    Column,
    Format,
    note,
    note_caveats,
    print_csv,
    print_json,
    print_listing,
    print_table,
    say,
)
from api.wire.values import User
from api.wire.waterfalls import (
    Waterfall,
    WaterfallDeals,
    WaterfallEntry,
    WaterfallFigures,
    WaterfallLine,
)
from projections.conversion import total

Group = dict[str, str | User | None]


def print_waterfall(answer: Waterfall, layout: Format, stages: dict[str, str], when: str) -> None:
    """The answer in the layout that was asked for."""
    match layout:
        case Format.JSON:
            print_json(answer)
            return
        case Format.CSV:
            _print_csv(answer)
        case Format.TABLE:
            _print_tables(answer, stages, when)
    for line in _rates(answer):
        note(line)
    note_caveats(answer.caveats)


def _rates(answer: Waterfall) -> Iterator[str]:
    target, lacking = answer.reporting_currency, answer.currencies_without_rate
    for line in told_rates(target, answer.start_rates, []):
        yield f"Start: {line[0].lower()}{line[1:]}"
    for line in told_rates(target, answer.end_rates, []):
        yield f"All else: {line[0].lower()}{line[1:]}"
    yield from told_rates(target, [], lacking)


# As CSV: a row for each group and line.


def _print_csv(answer: Waterfall) -> None:
    heads = [*_group_heads(answer.group_by), "currency", "line", "kind", "deals", "amount", "times"]
    print_csv([*heads, "unknown_amount"], _csv_rows(answer))


def _group_heads(dimensions: Iterable[str]) -> list[str]:
    heads = []
    for name in dimensions:
        heads += [f"{name}_id", name] if name == "owner" else [name]
    return heads


def _csv_rows(answer: Waterfall) -> Iterator[list[object]]:
    for row in answer.rows:
        group = [*_group_cells(row.group), row.currency]
        start, end = row.start, row.end
        yield [*group, "start", "", start.deals, start.amount.amount, "", start.unknown_amount]
        for one in row.lines:
            yield [*group, one.line, one.kind or "", one.deals, one.amount.amount, one.times, ""]
        yield [*group, "end", "", end.deals, end.amount.amount, "", end.unknown_amount]


def _group_cells(group: Group) -> list[object]:
    cells: list[object] = []
    for name, value in group.items():
        if name == "owner":
            user = value if isinstance(value, User) else None
            cells += ["", ""] if user is None else [user.id, user.name or ""]
        else:
            cells.append(value or "")
    return cells


# As tables: one for each currency of one group, or one row for each of several groups.


def _print_tables(answer: Waterfall, stages: dict[str, str], when: str) -> None:
    say(f"Waterfall from {when}")
    if not answer.rows:
        note("No deals in it.")
        return
    if not answer.group_by:
        for row in answer.rows:
            say()
            _print_bridge(row)
        return
    _print_groups(answer, stages)


def _print_bridge(row: WaterfallFigures) -> None:
    start, end = row.start, row.end
    print_table(
        [Column(row.currency), Column("deals", right=True), Column("amount", right=True)],
        [
            ["start", f"{start.deals:,}", shown.rounded(start.amount)],
            *_unknown(start.unknown_amount),
            *_line_rows(row),
        ],
        [["end", f"{end.deals:,}", shown.rounded(end.amount)], *_unknown(end.unknown_amount)],
    )


def _unknown(deals: int) -> list[list[str]]:
    return [["  of these without an amount", f"{deals:,}", ""]] if deals else []


def _line_rows(row: WaterfallFigures) -> Iterator[list[str]]:
    """What happened; the kinds of a line below it."""
    for name, lines in _by_name(row).items():
        happened = [line for line in lines if line.times]
        if happened:
            yield [_label(name, happened), _signed(_deals(happened)), _change(_worth(happened))]
        for line in happened:
            if line.kind is not None:
                yield [f"  {line.kind}", _signed(line.deals), _change(_worth([line]))]


def _label(name: str, lines: Sequence[WaterfallLine]) -> str:
    """The name; of what changes amounts alone, also how often it did."""
    if any(line.deals for line in lines):
        return name
    return f"{name} ({sum(line.times for line in lines):,} ×)"


def _by_name(row: WaterfallFigures) -> dict[str, list[WaterfallLine]]:
    found: dict[str, list[WaterfallLine]] = {}
    for line in row.lines:
        found.setdefault(line.line, []).append(line)
    return found


def _deals(lines: Iterable[WaterfallLine]) -> int:
    return sum(line.deals for line in lines)


def _worth(lines: Iterable[WaterfallLine]) -> Decimal:
    return total(Decimal(line.amount.amount) for line in lines)


_RARE = ("reopened", "resumed", "merged", "suspended", "moved-in", "moved-out", "revalued")
"""Left out first where there is little room."""
_AMOUNTS_ALONE = ("increased", "decreased", "revalued")


def _print_groups(answer: Waterfall, stages: dict[str, str]) -> None:
    """Twice: in deals and in amounts. Lines on which nothing happened are left out."""
    happened = {line.line for row in answer.totals for line in row.lines if line.times}
    lines = [name for name in _by_name(answer.totals[0]) if name in happened]
    of_deals = [name for name in lines if name not in _AMOUNTS_ALONE]
    _print_table(answer, stages, of_deals, "deals", _counts)
    _print_table(answer, stages, lines, "amounts", _amounts)


def _counts(row: WaterfallFigures, names: Sequence[str]) -> list[str]:
    by_name = _by_name(row)
    moved = (_signed(_deals(by_name[name])) for name in names)
    return [shown.number(row.start.deals), *moved, shown.number(row.end.deals)]


def _amounts(row: WaterfallFigures, names: Sequence[str]) -> list[str]:
    by_name = _by_name(row)
    moved = (_change(_worth(by_name[name])) for name in names)
    return [shown.rounded(row.start.amount), *moved, shown.rounded(row.end.amount)]


def _print_table(
    answer: Waterfall,
    stages: dict[str, str],
    lines: Sequence[str],
    what: str,
    read: Callable[[WaterfallFigures, Sequence[str]], list[str]],
) -> None:
    heads = [*answer.group_by, *([] if "currency" in answer.group_by else ["currency"])]
    say()
    print_table(
        [
            *(Column(name.replace("_", " "), wraps=True) for name in heads),
            Column(f"{what} at start", right=True),
            *(Column(name, right=True, spare=name in _RARE) for name in lines),
            Column("at end", right=True),
        ],
        [[*_group(row, heads, stages), *read(row, lines)] for row in answer.rows],
        [[*_total(row, heads), *read(row, lines)] for row in answer.totals],
    )


def _group(row: WaterfallFigures, heads: Iterable[str], stages: dict[str, str]) -> list[str]:
    values = {"currency": row.currency, **row.group}
    return [group_text(name, values[name], stages) for name in heads]


def _total(row: WaterfallFigures, heads: Sequence[str]) -> list[str]:
    """The word, and the currency in its column."""
    label = ["total", *("" for _ in heads[1:])]
    place = heads.index("currency")
    label[place] = f"{label[place]} {row.currency}".lstrip()
    return label


def _signed(deals: int) -> str:
    return f"{deals:+,}" if deals else shown.NONE


def _change(value: Decimal) -> str:
    """A change to the whole unit."""
    return f"{value.quantize(Decimal(1), rounding=ROUND_HALF_UP):+,}" if value else shown.NONE


# The deals behind a line.


def print_entries(
    answer: WaterfallDeals, layout: Format, stages: dict[str, str], when: str, zone: ZoneInfo
) -> None:
    """The page in the layout that was asked for."""
    match layout:
        case Format.JSON:
            print_json(answer)
            return
        case Format.CSV:
            print_listing(answer.entries, WaterfallEntry)
        case Format.TABLE:
            _print_entries(answer, stages, when, zone)
    note_caveats(answer.caveats)


def _print_entries(
    answer: WaterfallDeals, stages: dict[str, str], when: str, zone: ZoneInfo
) -> None:
    say(f"Deals behind {answer.line}, {when}")
    say()
    if not answer.entries:
        note("No deals on this page.")
        return
    # Deals that are not theirs to read have none.
    names = list(dict.fromkeys(name for one in answer.entries for name in one.group))
    has_kinds = any(one.kind for one in answer.entries)
    print_table(
        [
            Column("when"),
            Column("deal"),
            Column("name", wraps=True),
            *([Column("how")] if has_kinds else []),
            *(Column(name.replace("_", " "), wraps=True) for name in names),
            Column("deals", right=True),
            Column("amount", right=True),
            Column("versions"),
        ],
        [
            [
                shown.moment(one.at, zone),
                one.reference or one.id[:8],
                shown.text(one.name),
                *([one.kind or ""] if has_kinds else []),
                *(_value(one, name, stages) for name in names),
                _signed(one.deals),
                "unknown" if one.unknown_amount else shown.money(one.amount),
                _versions(one),
            ]
            for one in answer.entries
        ],
    )
    if answer.cursor:
        note(f"There are more: raise --limit, or go on with --after {answer.cursor}")


def _value(one: WaterfallEntry, name: str, stages: dict[str, str]) -> str:
    return group_text(name, one.group[name], stages)


def _versions(one: WaterfallEntry) -> str:
    """Of the events that did it."""
    return ", ".join(event.rpartition("@")[2] for event in one.events) or shown.NONE
