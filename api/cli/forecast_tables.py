"""How forecasts are printed, and what became of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from api.cli import shown
from api.cli.drilldown import told_rates
from api.cli.grouping import group_cell, group_text, unsaid
from api.cli.output import (
    Column,
    Format,
    note,
    note_caveats,
    plain,
    print_csv,
    print_json,
    print_table,
    say,
)
from api.wire.conversions import UsedRate
from api.wire.forecasts import (
    Forecast,
    ForecastHistory,
    ForecastMonth,
    ForecastOutcome,
    ForecastRow,
    ForecastSum,
    ForecastTally,
)
from api.wire.values import Amount


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
    print_conversion(answer)
    note_caveats(answer.caveats)


_TOLD_RATES = 3
"""Of each currency; the others are counted."""


def print_conversion(answer: Forecast | ForecastHistory) -> None:
    """The rates that amounts were converted with, beside them, and what has none."""
    for line in told_conversion(
        answer.reporting_currency,
        answer.rates,
        answer.rates_left_out,
        answer.currencies_without_rate,
    ):
        note(line)


def told_conversion(
    currency: str | None, rates: Sequence[UsedRate], left_out: int, lacking: Sequence[str]
) -> Iterator[str]:
    """The rates of several days summed up, and what lacks one on all of them or on some."""
    by_currency: defaultdict[str, list[UsedRate]] = defaultdict(list)
    for one in rates:
        by_currency[one.currency].append(one)
    told = []
    for own, of_days in by_currency.items():
        first, *more = of_days[:_TOLD_RATES]
        others = "".join(f", {one.rate} of {one.day}" for one in more)
        told.append(f"1 {own} = {first.rate} {currency} of {first.day}{others}")
        left_out += len(of_days[_TOLD_RATES:])
    if left_out:
        told.append(f"and {left_out:,} more {'rate' if left_out == 1 else 'rates'} of other days")
    if told:
        yield f"Converted with {'; '.join(told)}."
    yield from told_rates(currency, [], [one for one in lacking if one not in by_currency])
    if at_times := ", ".join(one for one in lacking if one in by_currency):
        left = "amounts without one stay as they are, apart"
        yield f"Note: on some days no rate to {currency} is known for {at_times}; {left}."


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
    reported = _reported_in(answer, groups)
    labels = [*groups, "close", "category", *reported]
    became = any(row.outcome is not None for row in rows)
    cells = [
        [
            *(group_text(name, row.group[name], stages) for name in groups),
            row.close,
            row.category or "(none)",
            *(row.currency for _ in reported),
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
            [*label, *_sum(row.sum), *_became(row.outcome, became)]
            for label, row in zip(unsaid(cells), rows, strict=True)
        ],
        [
            [
                *_total_label(labels, one.amount.currency),
                *_sum(one),
                *("" for _ in (_BECAME if became else ())),
            ]
            for one in answer.sums
        ],
    )


def _reported_in(answer: Forecast, groups: Sequence[str]) -> list[str]:
    """The column for the currency of amounts, none where that of the deals tells it."""
    if "currency" not in groups:
        return ["currency"]
    return ["reported in"] if answer.reporting_currency else []


def _total_label(labels: Sequence[str], currency: str) -> list[str]:
    """The word, and the currency in its column."""
    label = ["total", *("" for _ in labels[1:])]
    place = labels.index("reported in" if "reported in" in labels else "currency")
    label[place] = f"{label[place]} {currency}".lstrip()
    return label


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
    reported = [name.replace(" ", "_") for name in _reported_in(answer, answer.group_by)]
    names = ["close", *reported, "category", *_SUM_NAMES]
    if answer.against_as_of is not None:
        names += [*(f"{part}{of}" for part in _PARTS for of in ("", "_amount")), *_BY_NAME, "error"]
    print_csv(
        [*answer.group_by, *names],
        (
            [
                *(group_cell(row.group[name]) for name in answer.group_by),
                *(row.close, *(row.currency for _ in reported), row.category or ""),
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
