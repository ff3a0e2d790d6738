"""How the deals of a forecast are printed, and the history of one."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from api.cli import shown
from api.cli.drilldown import note_rates
from api.cli.forecast_tables import print_conversion
from api.cli.output import (
    Column,
    Field,
    Format,
    fields_of,
    note,
    note_caveats,
    plain,
    print_csv,
    print_json,
    print_table,
    say,
)
from api.wire.forecasts import (
    FOUR_FACTS,
    ForecastDeal,
    ForecastDeals,
    ForecastHistory,
    ForecastStanding,
    ForecastSum,
    ForecastTally,
)
from api.wire.values import Amount


def print_deals(
    answer: ForecastDeals, layout: Format, stages: Mapping[str, str], when: str
) -> None:
    """The deals of a forecast."""
    match layout:
        case Format.JSON:
            print_json(answer)
            return
        case Format.CSV:
            _print_deals_csv(answer.deals)
        case Format.TABLE:
            say(f"Deals in the forecast {when}")
            say()
            _print_deals(answer, stages)
    note_rates(answer)
    note_caveats(answer.caveats)


def _print_deals_csv(deals: Sequence[ForecastDeal]) -> None:
    fields = [field for field in fields_of(ForecastDeal) if field.name != "events"]
    fields += [Field(f"{fact}_event", _event_reader(fact)) for fact in FOUR_FACTS]
    print_csv([f.name for f in fields], ([f.read(one) for f in fields] for one in deals))


def _event_reader(fact: str) -> Callable[[ForecastDeal], object]:
    return lambda deal: plain(deal.events.get(fact))


def _print_deals(answer: ForecastDeals, stages: Mapping[str, str]) -> None:
    if not answer.deals:
        note("No such deals.")
        return
    own = shown.one_currency(deal.amount.currency for deal in answer.deals if deal.amount)
    target = answer.reporting_currency
    in_one = [Column(f"in {target}", right=True)] if target and own != target else []
    print_table(
        [
            Column("deal"),
            Column("name", wraps=True),
            Column("owner", wraps=True, spare=True),
            Column("category"),
            Column("stage", wraps=True),
            Column("close"),
            Column("amount", right=True),
            *in_one,
            Column("prob", right=True),
            Column("events that set stage, close, amount, prob", spare=True),
        ],
        [_deal(one, stages, bool(in_one)) for one in answer.deals],
    )
    if answer.cursor:
        note(f"There are more: raise --limit, or go on with --after {answer.cursor}")


def _deal(deal: ForecastDeal, stages: Mapping[str, str], in_one: bool) -> list[str]:
    converted = deal.reported_amount
    late = " overdue" if deal.close == "overdue" else ""
    return [
        deal.reference or deal.id[:8],
        shown.text(deal.name),
        shown.person(deal.owner),
        deal.category or "(none)",
        stages.get(deal.stage, deal.stage),
        f"{shown.whole_day(deal.expected_close)}{late}",
        shown.money(deal.amount),
        *([shown.rounded(converted) if converted else shown.NONE] if in_one else []),
        shown.percent(deal.probability),
        _versions(deal.events),
    ]


def _versions(events: Mapping[str, str]) -> str:
    """Of the events behind the four facts; what no event set has none."""
    return ", ".join(
        events[fact].rpartition("@")[2] if fact in events else shown.NONE for fact in FOUR_FACTS
    )


def print_history(answer: ForecastHistory, layout: Format, zone: ZoneInfo) -> None:
    """How the forecast of a month stood."""
    match layout:
        case Format.JSON:
            print_json(answer)
            return
        case Format.CSV:
            _print_history_csv(answer, zone)
        case Format.TABLE:
            _print_history(answer, zone)
    print_conversion(answer)
    note_caveats(answer.caveats)


def _categories(answer: ForecastHistory) -> list[str]:
    found = [name for one in answer.standings for name in one.categories]
    known = ("commit", "most-likely", "best-case", "pipeline", "closed", "omitted", "none")
    return [name for name in known if name in found]


def _print_history(answer: ForecastHistory, zone: ZoneInfo) -> None:
    say(f"Forecast of {answer.month}, each with the knowledge of its day")
    say()
    if answer.standings:
        _print_standings(answer, zone)
        say()
    elif answer.over and not answer.result:
        note("Nothing was forecast for it, and nothing was won.")
        return
    won = "; ".join(f"{shown.money(one.amount)} in {one.deals:,}" for one in answer.result)
    if answer.over:
        say(f"Won in {answer.month}: {won or 'nothing'}")
    else:
        say(f"{answer.month} is not over at the moment asked for.")
        if won:
            say(f"Won so far: {won}")
    if answer.standings:
        say("Amounts of categories are whole, not weighted.")


def _print_standings(answer: ForecastHistory, zone: ZoneInfo) -> None:
    names = _categories(answer)
    print_table(
        [
            Column("end of"),
            Column("currency"),
            *(Column(name, right=True, spare=True) for name in names),
            Column("deals", right=True),
            Column("amount", right=True),
            Column("weighted", right=True),
            Column("won by then", right=True),
            Column("weighted + won", right=True),
        ],
        [_standing(one, names, zone) for one in answer.standings],
    )


def _standing(one: ForecastStanding, names: Sequence[str], zone: ZoneInfo) -> list[str]:
    total = Decimal(one.open.weighted_amount.amount) + Decimal(one.won.amount.amount)
    return [
        shown.day(one.at, zone),
        one.currency,
        *(
            shown.rounded(one.categories[name].amount) if name in one.categories else shown.NONE
            for name in names
        ),
        shown.number(one.open.deals),
        shown.rounded(one.open.amount),
        shown.rounded(one.open.weighted_amount),
        shown.rounded(one.won.amount),
        shown.rounded(Amount(str(total), one.currency)),
    ]


def _print_history_csv(answer: ForecastHistory, zone: ZoneInfo) -> None:
    """A row for each category of each day, and one for what was won by then."""
    columns = ("deals", "amount", "weighted_amount", "unknown_amounts")
    rows = []
    for one in answer.standings:
        day = f"{datetime.fromisoformat(one.at).astimezone(zone):%Y-%m-%d}"
        for name, part in one.categories.items():
            rows.append([day, one.currency, name, *_parts(part)])
        rows.append([day, one.currency, "won", *_parts(one.won)])
    print_csv(["day", "currency", "category", *columns], rows)


def _parts(part: ForecastSum | ForecastTally) -> list[object]:
    weighted = part.weighted_amount.amount if isinstance(part, ForecastSum) else ""
    return [part.deals, part.amount.amount, weighted, part.unknown_amounts]
