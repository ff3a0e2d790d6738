"""What one row of `Opportunity` or `OpportunityHistory` says of a deal."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from api.exchange.intake.snapshot import Snapshot
from api.exchange.moments import NoTimeZone
from api.exchange.report import ImportFailure, Kind
from api.exchange.rows import RowFault
from api.exchange.salesforce.stages import CATEGORIES, Ends
from domain.lifecycle.facts import LostOutcome, OpportunityLost, OpportunityWon
from domain.values import Money

if TYPE_CHECKING:
    from datetime import date

    from api.exchange.moments import Calendar, Moment
    from api.exchange.salesforce.stages import SeenStages
    from domain.process import SalesProcess, Stage
    from domain.values import ForecastCategory

Cells = dict[str, str]

_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def flag(cells: Cells, column: str) -> bool | None:
    """A mark such as `IsClosed`; None where there is none."""
    return _FLAGS.get(cells.get(column, "").casefold())


def percent(cells: Cells, column: str) -> int | None:
    """A whole per cent from 0 to 100; None where there is none."""
    try:
        number = Decimal(cells.get(column, "").removesuffix("%"))
    except InvalidOperation:
        return None
    is_percent = number.is_finite() and number == number.to_integral_value() and 0 <= number <= 100
    return int(number) if is_percent else None


def category(cells: Cells, column: str) -> ForecastCategory | None:
    """A forecast category by Salesforce's name for it; None where there is none."""
    return CATEGORIES.get(cells.get(column, "").casefold().replace(" ", ""))


def ends(cells: Cells) -> Ends | None:
    """What the marks of a row say; None where it has none."""
    closed = flag(cells, "IsClosed")
    if closed is None:
        return None
    if not closed:
        return Ends.NOT
    return Ends.WON if flag(cells, "IsWon") else Ends.LOST


class Times:
    """Reads times. Raises ImportFailure, before anything is imported, where a zone is missing."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def moment(self, cells: Cells, column: str) -> Moment | None:
        """None where the cell is blank. Raises RowFault for what is no date."""
        text = cells.get(column, "")
        if not text:
            return None
        try:
            return self._calendar.moment(text)
        except NoTimeZone as error:
            advice = "Name the zone of the export with --timezone, such as America/New_York."
            raise ImportFailure(f"{column}: {error}", advice) from None
        except ValueError as error:
            raise RowFault(Kind.IMPOSSIBLE_DATE, f"{column}: {error}") from None

    def needed(self, cells: Cells, column: str) -> Moment:
        moment = self.moment(cells, column)
        if moment is None:
            raise RowFault(Kind.MISSING_VALUE, f"{column} is blank")
        return moment

    def day(self, cells: Cells, column: str) -> date | None:
        moment = self.moment(cells, column)
        return None if moment is None else moment.day or self._calendar.day_of(moment.at)

    def day_of(self, moment: Moment) -> date:
        return moment.day or self._calendar.day_of(moment.at)


class States:
    """Reads the state of a deal: stage or end, amount, close date, forecast."""

    def __init__(self, times: Times, seen: SeenStages, process: SalesProcess) -> None:
        self._times = times
        self._seen = seen
        self._by_name = {
            name.casefold(): stage
            for stage in reversed(process.stages)
            if not stage.after_win
            for name in (stage.id, stage.name.en)
        }

    def stage(self, name: str) -> Stage | None:
        """The stage of the process that has this name or id."""
        return self._by_name.get(name.casefold())

    def of(self, cells: Cells, currency: str) -> Snapshot:
        """What the row says. Raises RowFault for a value that cannot be."""
        amount = _money(cells, currency)
        said: dict[str, Any] = {}
        if "Amount" in cells:
            said["amount"] = amount
        if "CloseDate" in cells:
            said["expected_close"] = self._times.day(cells, "CloseDate")
        name = cells["StageName"]
        if not name:
            raise RowFault(Kind.MISSING_VALUE, "StageName is blank")
        match self._seen.ends(name):
            case Ends.WON:
                said["outcome"] = OpportunityWon(value=amount)
            case Ends.LOST:
                said["outcome"] = OpportunityLost(LostOutcome.UNKNOWN)
            case Ends.NOT:
                said |= self._open(name, cells)
        return Snapshot(**said)

    def _open(self, name: str, cells: Cells) -> dict[str, Any]:
        stage = self.stage(name)
        if stage is None:
            raise RowFault(Kind.UNKNOWN_STAGE, f"the process has no selling stage {name!r}")
        said: dict[str, Any] = {"stage": stage.id, "outcome": None}
        probability = percent(cells, "Probability")
        if probability is not None:
            said["probability"] = None if probability == stage.probability else probability
        forecast = category(cells, "ForecastCategory")
        if forecast is not None:
            said["category"] = None if forecast is stage.forecast else forecast
        return said


def _money(cells: Cells, currency: str) -> Money | None:
    text = cells.get("Amount", "")
    if not text:
        return None
    try:
        return Money.parse(text.replace(",", ""), currency)
    except ValueError as error:
        raise RowFault(Kind.IMPOSSIBLE_AMOUNT, f"Amount {text!r}: {error}") from None
