"""The fields of a deal in one CSV row, as its map reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from api.exchange.csv_files.map import DecimalMark, Ending, filled, template_columns
from api.exchange.intake.snapshot import Snapshot
from api.exchange.moments import NoTimeZone
from api.exchange.report import ImportFailure, Kind, with_hint
from api.exchange.rows import RowFault
from domain.currencies import MINOR_DIGITS
from domain.directory import UserRegistered
from domain.lifecycle.facts import Account, LostOutcome, OpportunityLost, OpportunityWon
from domain.values import Money

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from api.exchange.csv_files.cells import Values
    from api.exchange.csv_files.map import LoadedMap
    from api.exchange.identity import Identity
    from api.exchange.moments import Calendar, Moment

COMPETITOR_NOT_NAMED = "unknown"


class Fields:
    """Reads fields from the values of a row. Methods raise RowFault for a value that is none."""

    def __init__(
        self, loaded: LoadedMap, identity: Identity, calendar: Calendar, currency: str | None
    ) -> None:
        self._map = loaded.map
        self._process = loaded.process
        self._identity = identity
        self._calendar = calendar
        self._currency = currency

    def has(self, field: str) -> bool:
        """Whether the map has a column for the field."""
        return getattr(self._map.deal, field) is not None

    def text(self, field: str, values: Values) -> str:
        """The value of a field, else its constant, else blank."""
        column = getattr(self._map.deal, field)
        text = values[column] if column is not None else ""
        return text or getattr(self._map.constant, field, None) or ""

    def name(self, values: Values) -> str:
        """The name of the deal; blank where the row has none."""
        template = self._map.deal.name_template
        if template is None:
            return self.text("name", values)
        return filled(template, {column: values[column] for column in template_columns(template)})

    def currency(self, values: Values) -> str:
        column = self._map.deal.currency
        own = values[column] if column is not None else ""
        currency = own or self._currency or self._map.constant.currency or ""
        if currency not in MINOR_DIGITS:
            raise RowFault(Kind.IMPOSSIBLE_VALUE, f"{currency!r} is no currency code of ISO 4217")
        return currency

    def moment(self, field: str, values: Values) -> Moment | None:
        """A point in time; None where the row has none. Raises ImportFailure without a zone."""
        text = self.text(field, values)
        if not text:
            return None
        try:
            return self._calendar.moment(text)
        except NoTimeZone as error:
            advice = "Name the zone it is meant in: --timezone, or timezone in the map."
            raise ImportFailure(f"{field}: {error}", advice) from None
        except ValueError as error:
            raise RowFault(Kind.IMPOSSIBLE_DATE, f"{field}: {error}") from None

    def day(self, field: str, values: Values) -> date | None:
        moment = self.moment(field, values)
        return None if moment is None else moment.day or self._calendar.day_of(moment.at)

    def money(self, field: str, values: Values) -> Money | None:
        """An amount in the deal's currency; None where the row has none."""
        text = self.text(field, values)
        if not text:
            return None
        mark = self._map.decimal_mark
        grouping = "," if mark is DecimalMark.POINT else "."
        plain = text.replace(grouping, "").replace(" ", "").replace(mark.value, ".")
        try:
            return Money.parse(plain, self.currency(values))
        except ValueError as error:
            raise RowFault(Kind.IMPOSSIBLE_AMOUNT, f"{field} {text!r}: {error}") from None

    def ending(self, values: Values) -> tuple[str | None, Ending]:
        """The stage that the row names, if any, and how the deal ended, if it did."""
        stage = self.text("stage", values)
        if not self.has("outcome"):
            if stage in self._map.outcomes:
                return None, self._map.outcomes[stage]
            return self._stage(stage), Ending.OPEN
        outcome = self.text("outcome", values)
        ending = self._map.outcomes.get(outcome) if outcome else Ending.OPEN
        if ending is None:
            reason = f"the outcome {outcome!r} is not among the outcomes of the map"
            raise RowFault(Kind.UNKNOWN_STAGE, with_hint(reason, outcome, self._map.outcomes))
        if ending is not Ending.OPEN and stage not in self._map.stages:
            return None, ending
        return (self._stage(stage) if self.has("stage") else None), ending

    def _stage(self, text: str) -> str:
        if not text:
            raise RowFault(Kind.MISSING_VALUE, f"{self._map.deal.stage}, the stage, is blank")
        stage = self._map.stages.get(text)
        if stage is None:
            known = [*self._map.stages, *self._map.outcomes]
            reason = f"the stage {text!r} is not among the stages and outcomes of the map"
            raise RowFault(Kind.UNKNOWN_STAGE, with_hint(reason, text, known))
        return stage

    def outcome(self, ending: Ending, values: Values) -> OpportunityWon | OpportunityLost | None:
        """How the deal ended; None while it is open."""
        reason = self.text("outcome_reason", values)
        reasons = (reason,) if reason else ()
        match ending:
            case Ending.OPEN:
                return None
            case Ending.WON:
                return OpportunityWon(value=self.money("won_value", values), reasons=reasons)
            case _:
                competitor = self.text("competitor", values) or None
                if ending is Ending.LOST_TO_COMPETITOR and competitor is None:
                    competitor = COMPETITOR_NOT_NAMED
                return OpportunityLost(LostOutcome(ending.value), competitor, reasons)

    def facts(self, values: Values, blank: None | UnsetType) -> Snapshot:
        """Everything that has no time of its own. `blank` is what a blank cell says."""
        said: dict[str, Any] = {}
        for field in ("territory", "region", "route", "lead_source"):
            if self.has(field) or getattr(self._map.constant, field) is not None:
                said[field] = self.text(field, values) or blank
        if self._map.deal.account is not None:
            said["account"] = self._account(values) or blank
        if self.has("products"):
            products = self._products(values)
            said["products"] = products or (() if blank is None else UNSET)
        if owner := self.text("owner", values):
            said["owner"] = self._identity.user(owner)
        if name := self.name(values):
            said["name"] = name
        return Snapshot(**said)

    def team(self, values: Values, blank: None | UnsetType) -> Snapshot:
        """The manager, where the map has a column for it."""
        if not self.has("manager"):
            return Snapshot()
        manager = self.text("manager", values)
        return Snapshot(manager=self._identity.user(manager) if manager else blank)

    def users(self, values: Values) -> Iterator[UserRegistered]:
        """The users that the row names."""
        for field in ("owner", "manager", "changed_by"):
            if name := self.text(field, values):
                yield UserRegistered(self._identity.user(name), name, name)

    def _account(self, values: Values) -> Account | None:
        columns = self._map.deal.account
        assert columns is not None, "asked only where the map has an account"
        name = values[columns.name]
        if not name:
            return None
        given: dict[str, Any] = {
            field: values[column] or None
            for field in ("industry", "region", "size")
            if (column := getattr(columns, field)) is not None
        }
        reference = values[columns.id] if columns.id is not None else ""
        return Account(name, self._identity.account(reference or name), **given)

    def _products(self, values: Values) -> tuple[str, ...]:
        text = self.text("products", values)
        separator = self._map.deal.products_separator
        parts = text.split(separator) if separator else [text]
        return tuple(part.strip() for part in parts if part.strip())
