"""Routes of 'forecast'. Written by tests/api/client/generation.py."""

from collections.abc import Iterator
from typing import Literal, TypedDict, Unpack

from api.client.asking import Routes
from api.wire.calibrations import Calibration
from api.wire.conversions import UsedRate
from api.wire.forecasts import Forecast, ForecastDeals, ForecastHistory


class ForecastParameters(TypedDict, total=False):
    as_of: str | None
    known_at: str | None
    stage: str | None
    owner: str | None
    region: str | None
    industry: str | None
    territory: str | None
    product: str | None
    business_type: str | None
    lead_source: str | None
    forecast_category: str | None
    grade: str | None
    currency: str | None
    process: str | None
    reporting_currency: str | None
    group_by: str
    against: str | None
    against_known_at: str | None


class ForecastDealsParameters(TypedDict, total=False):
    as_of: str | None
    known_at: str | None
    stage: str | None
    owner: str | None
    region: str | None
    industry: str | None
    territory: str | None
    product: str | None
    business_type: str | None
    lead_source: str | None
    forecast_category: str | None
    grade: str | None
    currency: str | None
    process: str | None
    reporting_currency: str | None
    close: str | None
    limit: int
    cursor: str | None


class ForecastHistoryParameters(TypedDict, total=False):
    as_of: str | None
    known_at: str | None
    stage: str | None
    owner: str | None
    region: str | None
    industry: str | None
    territory: str | None
    product: str | None
    business_type: str | None
    lead_source: str | None
    forecast_category: str | None
    grade: str | None
    currency: str | None
    process: str | None
    reporting_currency: str | None
    month: str
    every: Literal["week", "month"]


class CalibrationParameters(TypedDict, total=False):
    as_of: str | None
    known_at: str | None
    stage: str | None
    owner: str | None
    region: str | None
    industry: str | None
    territory: str | None
    product: str | None
    business_type: str | None
    lead_source: str | None
    forecast_category: str | None
    grade: str | None
    currency: str | None
    process: str | None
    lead: str
    group_by: str
    as_occurred: bool


class ForecastRoutes(Routes):
    """Routes of 'forecast'."""

    def ask_the_forecast(self, **parameters: Unpack[ForecastParameters]) -> Forecast:
        """The open deals by the month they should close in, at any moment, and what became of
        them.
        """
        return self._read("/v1/forecast", Forecast, parameters)

    def ask_the_deals_in_the_forecast(
        self, **parameters: Unpack[ForecastDealsParameters]
    ) -> ForecastDeals:
        """The deals of a forecast with its four facts, and the event behind each of them."""
        return self._read("/v1/forecast/deals", ForecastDeals, parameters)

    def each_of_ask_the_deals_in_the_forecast(
        self, **parameters: Unpack[ForecastDealsParameters]
    ) -> Iterator[UsedRate]:
        """All of `ask_the_deals_in_the_forecast`, page by page."""
        return self._each("/v1/forecast/deals", ForecastDeals, "rates", parameters)

    def ask_the_history_of_a_forecast(
        self, **parameters: Unpack[ForecastHistoryParameters]
    ) -> ForecastHistory:
        """How the forecast of one month stood as it came nearer, beside what was won in it."""
        return self._read("/v1/forecast/history", ForecastHistory, parameters)

    def ask_the_calibration(self, **parameters: Unpack[CalibrationParameters]) -> Calibration:
        """How far the probabilities that were on record before the outcome could be trusted."""
        return self._read("/v1/calibration", Calibration, parameters)
