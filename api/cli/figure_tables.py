"""How operating figures are printed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from api.cli import shown
from api.cli.output import (
    Column,
    Format,
    note,
    note_caveats,
    plain,
    print_csv,
    print_json,
    print_listing,
    print_table,
    say,
)
from api.wire.figures import (
    Average,
    CountedDeal,
    CountedDeals,
    FigureReport,
    GroupFigures,
    MoneyFigures,
    Share,
)
from api.wire.groups import GroupValue, labels_of
from api.wire.values import Amount

_FIGURES = (
    Column("new", right=True),
    Column("won", right=True),
    Column("lost", right=True),
    Column("win rate", right=True),
    Column("avg won", right=True),
    Column("cycle days", right=True),
    Column("open", right=True),
    Column("per day", right=True, spare=True),
    Column("slipped", right=True, spare=True),
    Column("pushes", right=True, spare=True),
    Column("discount", right=True, spare=True),
)


def print_figures(answer: FigureReport, stages: dict[str, str]) -> None:
    heads = [
        Column("period"),
        *(Column(name.replace("_", " "), wraps=True) for name in answer.group_by),
    ]
    own = shown.one_currency(one.currency for row in answer.totals for one in row.money)
    if own:
        say(f"Amounts are in {own}.")
        say()
    totals = [(_padded([row.period.label], len(heads)), row) for row in answer.totals]
    labels_of_row = _labels_in(answer, stages)
    groups = [(labels_of_row(row), row) for row in _groups(answer)]
    print_table(
        [*heads, *_FIGURES],
        [line for labels, row in groups for line in _lines(labels, row, own)],
        [line for labels, row in totals for line in _lines(labels, row, own)],
    )
    if any(len(row.money) > 1 for row in answer.totals):
        note("Per day: its win rate and cycle days are those of deals of all currencies.")


def _groups(answer: FigureReport) -> list[GroupFigures]:
    """The rows, unless they are the totals already."""
    return answer.rows if answer.group_by else []


def _padded(cells: Sequence[str], count: int) -> list[str]:
    return [*cells, *[""] * (count - len(cells))]


_Labels: TypeAlias = Callable[[GroupFigures], list[str]]
"""The period of a row, and what tells its group."""


def _labels_in(answer: FigureReport, stages: dict[str, str]) -> _Labels:
    told = {
        name: labels_of(
            (row.group[name] for row in answer.rows), stages if name == "stage" else None
        )
        for name in answer.group_by
    }
    return lambda row: [
        row.period.label,
        *(label(row.group[name]) for name, label in told.items()),
    ]


def _lines(labels: Sequence[str], row: GroupFigures, own: str | None) -> Iterable[list[str]]:
    """A line for the group, with its first currency, and one for each further currency."""
    yield [*labels, *_cells(row, row.money[0] if row.money else None, own)]
    for one in row.money[1:]:
        if one.average_won is None and one.discount is None:
            continue
        yield [*[""] * len(labels), *_money_cells(one, own)]


def _cells(row: GroupFigures, money: MoneyFigures | None, own: str | None) -> list[str]:
    return [
        shown.number(row.new),
        shown.number(row.won),
        shown.number(row.lost),
        shown.share(row.win_rate.ratio),
        shown.NONE if money is None else _whole(money.average_won, own),
        mean(row.cycle_days_won),
        shown.number(row.open),
        shown.NONE if money is None else _whole(money.velocity_per_day, own),
        shown.share(row.slip_rate.ratio),
        mean(row.pushes_per_deal, 2),
        shown.NONE if money is None else shown.share(money.discount),
    ]


def _money_cells(money: MoneyFigures, own: str | None) -> list[str]:
    """What is told of a further currency: nothing that was counted already."""
    cells = [""] * len(_FIGURES)
    cells[4], cells[7] = _whole(money.average_won, own), _whole(money.velocity_per_day, own)
    cells[10] = shown.share(money.discount)
    return cells


def _whole(amount: Amount | None, own: str | None) -> str:
    """An amount, with its currency unless all are in one."""
    if amount is None:
        return shown.NONE
    value = shown.rounded(amount)
    return value if own or value == shown.NONE else f"{value} {amount.currency}"


def mean(average: Average, digits: int = 0) -> str:
    """The mean with so many digits behind the point."""
    return shown.NONE if average.mean is None else f"{float(average.mean):,.{digits}f}"


def print_every_figure(answer: FigureReport, stages: dict[str, str]) -> None:
    """Every figure on a line of its own, group after group."""
    labels_of_row = _labels_in(answer, stages)
    groups = [(" · ".join(labels_of_row(row)), row) for row in _groups(answer)]
    totals = [(row.period.label, row) for row in answer.totals]
    lines = []
    for label, row in (*groups, *totals):
        of_all = "; win rate and cycle days of all currencies" if len(row.money) > 1 else ""
        money = (line for one in row.money for line in _told_money(one, of_all=of_all))
        told = [*_told_counts(row), *money]
        lines += [["" if at else label, *line] for at, line in enumerate(told)]
    print_table(
        [Column("group", wraps=True), Column("figure"), Column("value", right=True), Column("of")],
        lines,
    )


def _told_counts(row: GroupFigures) -> list[list[str]]:
    """Figures, their values, and of what they are shares."""
    return [
        ["new deals", shown.number(row.new), ""],
        ["won", shown.number(row.won), _without_amount(row)],
        ["lost", shown.number(row.lost), f"{row.lost_to_competitor:,} to a competitor"],
        ["voided", shown.number(row.voided), ""],
        ["win rate", *_share(row.win_rate, "won or lost")],
        [
            "win rate against competitors",
            *_share(row.win_rate_against_competitors, "won, or lost to a competitor"),
        ],
        [
            "win rate of the new deals",
            *_share(row.win_rate_of_cohort, f"won or lost; {row.cohort_open:,} still open"),
        ],
        ["cycle days of won deals", mean(row.cycle_days_won, 1), f"{row.cycle_days_won.deals:,}"],
        [
            "cycle days of won and lost",
            mean(row.cycle_days_decided, 1),
            f"{row.cycle_days_decided.deals:,}",
        ],
        ["open at the end", shown.number(row.open), ""],
        ["slip rate", *_share(row.slip_rate, "expected to close in the period")],
        [
            "pushes per deal",
            mean(row.pushes_per_deal, 2),
            f"{_pushes(row.pushes_per_deal)} open",
        ],
    ]


def _pushes(average: Average) -> str:
    return f"{_count(average.total, 'push', 'pushes')} of {_count(average.deals, 'deal')}"


def _without_amount(row: GroupFigures) -> str:
    return f"{row.won_without_amount:,} without an amount" if row.won_without_amount else ""


def _share(share: Share, what: str) -> list[str]:
    return [shown.share(share.ratio), f"{share.part:,} of {share.of:,} {what}"]


def _told_money(one: MoneyFigures, *, of_all: str) -> list[list[str]]:
    """`of_all` says of which deals the other factors of the velocity are."""
    discount = [
        "discount",
        shown.share(one.discount),
        f"{shown.money(one.listed)} at list prices, {_count(one.quoted_deals, 'won deal')}",
    ]
    won = _count(one.won, "won deal")
    velocity = f"{_count(one.open, 'deal')} open{of_all}"
    return [
        ["won amount", shown.money(one.won_amount), won],
        ["average won", shown.money(one.average_won), won],
        ["velocity per day", shown.money(one.velocity_per_day), velocity],
        *([discount] if one.quoted_deals else []),
    ]


def _count(number: int, one: str, several: str = "") -> str:
    """So many of something."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def print_stages(answer: FigureReport, stages: dict[str, str]) -> None:
    """How deals left each stage, by group; in all where there is no group."""
    say()
    say("How deals left each stage")
    labels_of_row = _labels_in(answer, stages)
    heads = [
        Column("period"),
        *(Column(name.replace("_", " "), wraps=True) for name in answer.group_by),
        *(Column("process"), Column("stage"), Column("left", right=True)),
        *(Column("forward", right=True), Column("back", right=True), Column("ended", right=True)),
        *(Column("elsewhere", right=True, spare=True), Column("conversion", right=True)),
    ]
    print_table(
        heads,
        [
            [
                *labels_of_row(row),
                one.process,
                stages.get(one.stage, one.stage),
                *map(shown.number, (one.left, one.forward, one.back, one.ended, one.elsewhere)),
                shown.share(one.conversion),
            ]
            for row in answer.rows
            for one in row.stages
        ],
    )


_CSV_COUNTS = (
    *("new", "won", "lost", "voided", "lost_to_competitor", "won_without_amount"),
    *("cohort_open", "cohort_voided", "open"),
)
_CSV_SHARES = (
    *("win_rate", "win_rate_against_competitors", "win_rate_of_cohort", "slip_rate", "quoted"),
)
_CSV_MEANS = ("cycle_days_won", "cycle_days_decided", "pushes_per_deal")
_CSV_MONEY = (
    *("won", "won_amount", "average_won", "open", "velocity_per_day"),
    *("quoted_deals", "listed", "quoted", "discount"),
)


def print_figures_csv(answer: FigureReport) -> None:
    """A line for each group; those of further currencies repeat no count."""
    names = [
        *("period", "first", "last", *answer.group_by),
        *_CSV_COUNTS,
        *(f"{name}{end}" for name in _CSV_SHARES for end in ("", "_part", "_of")),
        *(f"{name}{end}" for name in _CSV_MEANS for end in ("", "_total", "_deals")),
        *("currency", *(f"{name}_in_currency" for name in _CSV_MONEY)),
    ]
    told = {name: labels_of(row.group[name] for row in answer.rows) for name in answer.group_by}
    print_csv(names, (line for row in answer.rows for line in _csv_lines(row, told)))


def _csv_lines(
    row: GroupFigures, told: Mapping[str, Callable[[GroupValue], str]]
) -> Iterable[list[object]]:
    """`told`: what tells the values of each dimension."""
    values = ((label, row.group[name]) for name, label in told.items())
    group = [
        *(row.period.label, row.period.first, row.period.last),
        *("" if value is None else label(value) for label, value in values),
    ]
    shares = [getattr(row, name) for name in _CSV_SHARES]
    means = [getattr(row, name) for name in _CSV_MEANS]
    counted = [
        *(getattr(row, name) for name in _CSV_COUNTS),
        *(plain(one) for share in shares for one in (share.ratio, share.part, share.of)),
        *(plain(one) for share in means for one in (share.mean, share.total, share.deals)),
    ]
    for at, money in enumerate(row.money or [None]):
        counts = [""] * len(counted) if at else counted
        yield [*group, *counts, *_csv_money(money)]


def _csv_money(money: MoneyFigures | None) -> list[object]:
    if money is None:
        return [""] * (1 + len(_CSV_MONEY))
    values = [getattr(money, name) for name in _CSV_MONEY]
    return [
        money.currency,
        *(one.amount if isinstance(one, Amount) else plain(one) for one in values),
    ]


def print_counted_deals(answer: CountedDeals, layout: Format) -> None:
    """A page of the deals behind a count."""
    match layout:
        case Format.JSON:
            print_json(answer)
            return
        case Format.CSV:
            print_listing(answer.deals, CountedDeal)
        case Format.TABLE:
            some = "deal" if answer.matching == 1 else "deals"
            say(f"{answer.matching:,} {some} of {answer.period.label}: {answer.count}")
            say()
            print_table(
                [
                    Column("deal"),
                    Column("name", wraps=True),
                    Column("amount", right=True),
                    Column("opened by"),
                    Column("ended by"),
                    Column("pushed by"),
                ],
                [_deal(one) for one in answer.deals],
            )
    if answer.cursor:
        note(f"There are more: raise --limit, or go on with --after {answer.cursor}")
    note_caveats(answer.caveats)


def _deal(one: CountedDeal) -> list[str]:
    """The events by their versions on the deal."""
    events: list[list[str | None]] = [[one.opened_by], [one.ended_by], [*one.pushed_by]]
    versions = (", ".join(e.rpartition("@")[2] for e in some if e) for some in events)
    return [
        one.reference or one.id[:8],
        shown.text(one.name),
        shown.money(one.amount),
        *(text or shown.NONE for text in versions),
    ]
