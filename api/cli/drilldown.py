"""How the deals behind a figure are printed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from api.cli import shown
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
from api.wire.conversions import UsedRate
from api.wire.drilldown import FACTS, DealBehind, DealsBehind
from domain.lifecycle import Status
from projections.drilldown import COUNTED


class Listed(StrEnum):
    """Which deals of a snapshot are listed."""

    OPEN = "open"
    SUSPENDED = "suspended"
    WON = "won"
    LOST = "lost"
    VOIDED = "voided"
    ALL = "all"

    @property
    def statuses(self) -> Sequence[Status]:
        return COUNTED if self is Listed.ALL else (Status(self.value),)


def print_deals(
    answer: DealsBehind, layout: Format, stages: dict[str, str], when: str, zone: ZoneInfo
) -> None:
    """The page in the layout that was asked for."""
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            _print_csv(answer.deals)
        case Format.TABLE:
            _print_table(answer, stages, when, zone)
    if layout is Format.JSON:
        return
    note_rates(answer)
    note_caveats(answer.caveats)


class Reported(Protocol):
    """An answer that may be told in one currency."""

    @property
    def reporting_currency(self) -> str | None: ...
    @property
    def rates(self) -> Sequence[UsedRate]: ...
    @property
    def currencies_without_rate(self) -> Sequence[str]: ...


def note_rates(answer: Reported) -> None:
    """Beside an answer: the rates that its amounts were converted with, and what lacks one."""
    for line in told_rates(answer.reporting_currency, answer.rates, answer.currencies_without_rate):
        note(line)


def told_rates(
    currency: str | None, rates: Sequence[UsedRate], lacking: Sequence[str]
) -> Iterator[str]:
    """The rates that amounts were converted with, and what lacks one."""
    if rates:
        told = (f"1 {one.currency} = {one.rate} {currency} of {one.day}" for one in rates)
        yield f"Converted with {'; '.join(told)}."
    if lacking:
        which = ", ".join(lacking)
        left = "their amounts stay as they are, apart"
        yield f"Note: no rate to {currency} is known for {which}; {left}."


def _print_csv(deals: Sequence[DealBehind]) -> None:
    fields = [field for field in fields_of(DealBehind) if field.name != "events"]
    fields += [Field(f"{fact}_event", _event_reader(fact)) for fact in FACTS]
    print_csv([f.name for f in fields], ([f.read(one) for f in fields] for one in deals))


def _event_reader(fact: str) -> Callable[[DealBehind], object]:
    return lambda deal: plain(deal.events.get(fact))


def _print_table(answer: DealsBehind, stages: dict[str, str], when: str, zone: ZoneInfo) -> None:
    say(f"{answer.matching:,} {'deal' if answer.matching == 1 else 'deals'} {when}")
    say()
    if not answer.deals:
        note("No deals on this page." if answer.matching else "No deals then.")
        return
    own = shown.one_currency(deal.currency for deal in answer.deals)
    target = answer.reporting_currency
    in_one = [Column(f"in {target}", right=True)] if target and own != target else []
    print_table(
        [
            Column("deal"),
            Column("name", wraps=True),
            Column("status"),
            Column("stage", wraps=True),
            Column("owner", wraps=True, spare=True),
            Column(f"amount {own or ''}".strip(), right=True),
            *in_one,
            Column("prob", right=True, spare=True),
            Column("close", spare=True),
            Column("opened", spare=True),
            Column(f"versions that set {', '.join(_SET.values())}"),
        ],
        [_row(deal, stages, own, bool(in_one), zone) for deal in answer.deals],
    )
    if answer.cursor:
        note(f"There are more: raise --limit, or go on with --after {answer.cursor}")


_SET = {"status": "status", "stage": "stage", "amount": "amount", "expected_close": "close"}


def _row(
    deal: DealBehind, stages: dict[str, str], own: str | None, in_one: bool, zone: ZoneInfo
) -> list[str]:
    converted = deal.reported_amount
    return [
        deal.reference or deal.id[:8],
        shown.text(deal.name),
        deal.outcome if deal.status is Status.LOST and deal.outcome else deal.status.value,
        stages.get(deal.stage, deal.stage),
        shown.person(deal.owner),
        shown.money(deal.amount).removesuffix(f" {own}"),
        *([shown.rounded(converted) if converted else shown.NONE] if in_one else []),
        shown.percent(deal.probability),
        shown.whole_day(deal.expected_close),
        shown.day(deal.opened_at, zone),
        _versions(deal.events),
    ]


def _versions(events: Mapping[str, str]) -> str:
    return ", ".join(
        events[fact].rpartition("@")[2] if fact in events else shown.NONE for fact in _SET
    )
