"""How forecasts are printed, and what became of them."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from api.cli import shown
from api.cli.drilldown import told_rates
from api.cli.output import (
    Column,
    Format,
    note,
    plain,
    print_csv,
    print_json,
    print_table,
    say,
)
from api.wire.forecasts import (
    Forecast,
    ForecastMonth,
    ForecastOutcome,
    ForecastRow,
    ForecastSum,
    ForecastTally,
)
from api.wire.values import Amount, User


def print_forecast(
    answer: Forecast, layout: Format, stages: Mapping[str, str], when: str, zone: ZoneInfo
) -> None:
    """The forecast, and what became of it where that was asked for."""
    match layout:
        case Format.JSON:
            print_json(answer)
            return
        case Format.CSV:
            _print_rows_csv(answer)
        case Format.TABLE:
            _print_forecast(answer, stages, when, zone)
    for line in told_rates(answer.reporting_currency, answer.rates, answer.currencies_without_rate):
        note(line)
    print_caveats(answer.caveats)


def print_caveats(caveats: Iterable[str]) -> None:
    """What limits an answer, beside it."""
    for caveat in caveats:
        note(f"Note: {caveat}.")


def _print_forecast(answer: Forecast, stages: Mapping[str, str], when: str, zone: ZoneInfo) -> None:
    say(f"Forecast {when}")
    say()
    if not answer.rows and not answer.months:
        note("No open deals then.")
        return
    _print_rows(answer, answer.rows, stages)
    if answer.totals:
        say()
        say("All groups")
        _print_rows(answer, answer.totals, stages)
    if answer.against_as_of is not None:
        _print_months(answer, shown.moment(answer.against_as_of, zone))


def _print_rows(answer: Forecast, rows: Sequence[ForecastRow], stages: Mapping[str, str]) -> None:
    groups = [name for name in answer.group_by if rows and name in rows[0].group]
    labels = [*groups, "close", "category", "currency"]
    became = any(row.outcome is not None for row in rows)
    cells = [
        [
            *(_group(row, name, stages) for name in groups),
            row.close,
            row.category or "(none)",
            row.currency,
        ]
        for row in rows
    ]
    print_table(
        [
            *(Column(name.replace("_", " "), wraps=True) for name in labels),
            Column("deals", right=True),
            Column("amount", right=True, spare=became),
            Column("weighted", right=True),
            Column("no amount", right=True, spare=True),
            *(_BECAME if became else ()),
        ],
        [
            [*_unsaid(label, above), *_sum(row.sum), *_became(row.outcome, became)]
            for label, above, row in zip(cells, [[""] * len(labels), *cells], rows, strict=False)
        ],
        [
            [
                *("total", *("" for _ in labels[2:]), one.amount.currency),
                *_sum(one),
                *("" for _ in (_BECAME if became else ())),
            ]
            for one in answer.sums
        ],
    )


def _unsaid(label: Sequence[str], above: Sequence[str]) -> list[str]:
    """What a row shares with the one above is not said again, up to the category."""
    same = [one == other for one, other in zip(label, above, strict=True)]
    return [
        "" if all(same[: i + 1]) and i < len(label) - 1 else value for i, value in enumerate(label)
    ]


def _group(row: ForecastRow, name: str, stages: Mapping[str, str]) -> str:
    match row.group[name]:
        case None:
            return "(none)"
        case User() as user:
            return shown.person(user)
        case str() as value:
            return stages.get(value, value) if name == "stage" else value


def _sum(found: ForecastSum) -> list[str]:
    return [
        shown.number(found.deals),
        shown.rounded(found.amount),
        shown.rounded(found.weighted_amount),
        shown.number(found.unknown_amounts),
    ]


_BECAME = (
    Column("won then", right=True),
    Column("amount won", right=True),
    Column("won in", wraps=True),
    Column("lost", right=True),
    Column("open for", wraps=True),
    Column("else", right=True, spare=True),
    Column("error", right=True),
)
"""Won in the month of the forecast, and in others; what is neither won, lost nor open."""


def _became(outcome: ForecastOutcome | None, wanted: bool) -> list[str]:
    if not wanted:
        return []
    if outcome is None:
        return ["" for _ in _BECAME]
    otherwise = (outcome.voided, outcome.suspended, outcome.merged, outcome.gone)
    return [
        shown.number(outcome.won.deals),
        shown.rounded(outcome.won.amount),
        _each(outcome.won_in),
        shown.number(sum(one.deals for one in outcome.lost.values())),
        _each(outcome.open_for),
        shown.number(sum(one.deals for one in otherwise)),
        signed(outcome.error),
    ]


def _each(tallies: Mapping[str, ForecastTally]) -> str:
    return ", ".join(f"{name}: {one.deals:,}" for name, one in tallies.items()) or shown.NONE


def signed(amount: Amount | None) -> str:
    """A difference to the whole unit, with its sign."""
    if amount is None:
        return shown.NONE
    value = Decimal(amount.amount)
    return f"+{shown.rounded(amount)}" if value > 0 else shown.rounded(amount)


def _print_months(answer: Forecast, when: str) -> None:
    say()
    say(f"What was won by {when}")
    if not answer.months:
        note("Nothing was forecast for a month, and nothing was won.")
        return
    print_table(
        [
            Column("month"),
            Column("currency"),
            Column("weighted", right=True),
            Column("as forecast", right=True),
            Column("forecast otherwise", right=True),
            Column("new", right=True),
            Column("taken up", right=True, spare=True),
            Column("already won", right=True),
            Column("all won", right=True),
            Column("deals", right=True),
            Column("error", right=True),
        ],
        [_month(one) for one in answer.months],
    )


def _month(one: ForecastMonth) -> list[str]:
    return [
        one.month,
        one.currency,
        shown.rounded(one.forecast.weighted_amount),
        *(
            shown.rounded(tally.amount)
            for tally in (one.as_forecast, one.forecast_otherwise, one.new, one.taken_up)
        ),
        shown.rounded(one.already.amount),
        shown.rounded(one.won.amount),
        shown.number(one.won.deals),
        signed(one.error),
    ]


def _print_rows_csv(answer: Forecast) -> None:
    """A row for each of the forecast; what became of it in parts by count and amount."""
    names = ["close", "currency", "category", *_SUM_NAMES]
    if answer.against_as_of is not None:
        names += [*(f"{part}{of}" for part in _PARTS for of in ("", "_amount")), *_BY_NAME, "error"]
    print_csv(
        [*answer.group_by, *names],
        (
            [
                *(_group_cell(row.group[name]) for name in answer.group_by),
                *(row.close, row.currency, row.category or ""),
                *(row.sum.deals, row.sum.amount.amount),
                *(row.sum.weighted_amount.amount, row.sum.unknown_amounts),
                *(_outcome_cells(row.outcome) if row.outcome else ()),
            ]
            for row in answer.rows
        ),
    )


_SUM_NAMES = ("deals", "amount", "weighted_amount", "unknown_amounts")
_PARTS = ("won", "voided", "suspended", "merged", "gone")
_BY_NAME = ("won_in", "lost", "open_for")


def _outcome_cells(outcome: ForecastOutcome) -> list[object]:
    parts: list[ForecastTally] = [getattr(outcome, name) for name in _PARTS]
    return [
        *(cell for one in parts for cell in (one.deals, one.amount.amount)),
        *(plain(getattr(outcome, name)) for name in _BY_NAME),
        outcome.error.amount if outcome.error else "",
    ]


def _group_cell(value: str | User | None) -> object:
    return shown.person(value) if isinstance(value, User) else plain(value)
