"""Reported facts to table columns and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.deal import Deal
from domain.process import ProcessBook, SalesProcess
from domain.values import Money
from projections.instants import instant_of, micros
from projections.models import Row
from projections.reported import (
    Forecast,
    Quoted,
    Reported,
    by_milestone,
    forecast,
    quoted,
    reported,
)


def reported_row(facts: Reported) -> Row:
    """The columns that tables of reported facts share, in their order."""
    return (
        facts.status.value,
        _text(facts.outcome),
        facts.process,
        facts.stage,
        facts.stage_order,
        facts.amount.minor if facts.amount else None,
        facts.currency,
        facts.expected_close.isoformat() if facts.expected_close else None,
        facts.probability,
        _text(facts.forecast_category),
        facts.owner,
        facts.region,
        facts.industry,
        facts.territory,
        facts.product,
        _text(facts.business_type),
        _text(facts.grade),
        micros(facts.opened_at),
        optional_micros(facts.closed_at),
        facts.lead_source,
        facts.listed_minor,
        facts.quoted_minor,
    )


class ReportedRows:
    """The rows of what is reported of one deal in one state after another.

    Asks only for what may have changed: most events leave the deal's life as it was.
    """

    def __init__(self, processes: ProcessBook) -> None:
        self._processes = processes
        self._process: SalesProcess | None = None
        self._by_milestone = False
        self._deal = Deal()
        self._row: Row | None = None

    def of(self, deal: Deal, at: datetime) -> Row | None:
        """The row of `reported(deal, processes, at)`, None before the opening."""
        if deal.life is not self._deal.life:
            self._row = self._whole(deal, at)
        elif self._row is not None and self._may_differ(deal):
            assert self._process is not None
            self._row = _anew(self._row, forecast(deal, self._process, at), quoted(deal))
        self._deal = deal
        return self._row

    def _may_differ(self, deal: Deal) -> bool:
        """Whether what is reported may be another though the life of the deal is as it was."""
        known = self._deal
        if self._by_milestone or deal.stages is not known.stages:
            return True
        return deal.negotiations.quotes is not known.negotiations.quotes

    def _whole(self, deal: Deal, at: datetime) -> Row | None:
        facts = reported(deal, self._processes, at)
        if facts is None:
            return None
        assert deal.life.process is not None
        self._process = self._processes.get(deal.life.process)
        self._by_milestone = by_milestone(self._process)
        return reported_row(facts)


def _anew(row: Row, forecast: Forecast, quoted: Quoted) -> Row:
    """The row with another forecast and quote, in the order of `reported_row`."""
    stage, order, amount, close, probability, category = forecast
    return (
        *row[:3],
        stage,
        order,
        amount.minor if amount else None,
        row[6],
        close.isoformat() if close else None,
        probability,
        _text(category),
        *row[10:-2],
        *quoted,
    )


def _text(value: str | None) -> str | None:
    """Words of a vocabulary as plain texts, which is what drivers take for what they are."""
    return None if value is None else str(value)


def optional_micros(instant: datetime | None) -> int | None:
    return None if instant is None else micros(instant)


def amount_of(row: Mapping[str, Any]) -> Money | None:
    """The amount of a row that holds reported facts."""
    minor = row["amount_minor"]
    return None if minor is None else Money.from_minor(minor, row["currency"])


def instant_in(row: Mapping[str, Any], column: str) -> datetime | None:
    value = row[column]
    return None if value is None else instant_of(value)
