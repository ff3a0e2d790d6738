"""Routes of 'pipeline'. Written by tests/api/client/generation.py."""

from collections.abc import Iterator
from typing import Literal, TypedDict, Unpack

from api.client.asking import Routes
from api.wire.conversions import UsedRate
from api.wire.coverage import CoverageReport
from api.wire.drilldown import DealsBehind
from api.wire.figures import CountedDeal, CountedDeals, FigureReport
from api.wire.flows import CohortTable, Flow, OutcomesOverTime, TimeInStage
from api.wire.pipelines import Pipeline
from api.wire.stuck import StuckDeals, StuckStage
from api.wire.waterfalls import Waterfall, WaterfallDeals, WaterfallEntry


class PipelineParameters(TypedDict, total=False):
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


class DealsBehindParameters(TypedDict, total=False):
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
    status: Literal["open", "suspended", "won", "lost", "voided"] | None
    unknown_amount: bool
    limit: int
    cursor: str | None


class FigureParameters(TypedDict, total=False):
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
    period: str | None
    per: Literal["month", "quarter", "year"] | None
    group_by: str
    team: str | None
    reporting_currency: str | None


class CountedParameters(TypedDict, total=False):
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
    count: Literal[
        "new",
        "won",
        "lost",
        "lost-to-competitor",
        "voided",
        "open",
        "active",
        "expected",
        "pushed-out",
        "pushed",
    ]
    period: str | None
    team: str | None
    limit: int
    cursor: str | None


class CoverageParameters(TypedDict, total=False):
    as_of: str | None
    known_at: str | None
    period: str | None
    by: Literal["owner", "territory", "unit"] | None


class WaterfallParameters(TypedDict, total=False):
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
    since: str | None
    until: str | None
    period: str | None
    known_at: str | None
    as_believed: bool
    closing: str | None
    group_by: str
    reporting_currency: str | None


class WaterfallDealsParameters(TypedDict, total=False):
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
    since: str | None
    until: str | None
    period: str | None
    known_at: str | None
    as_believed: bool
    closing: str | None
    group_by: str
    reporting_currency: str | None
    line: str
    limit: int
    cursor: str | None


class FlowParameters(TypedDict, total=False):
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


class CohortParameters(TypedDict, total=False):
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
    period: Literal["month", "quarter", "year"]


class CurveParameters(TypedDict, total=False):
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
    group_by: str | None


class StuckParameters(TypedDict, total=False):
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
    limit: int
    cursor: str | None


class PipelineRoutes(Routes):
    """Routes of 'pipeline'."""

    def ask_the_pipeline(self, **parameters: Unpack[PipelineParameters]) -> Pipeline:
        """What was open, won and lost at any moment, grouped."""
        return self._read("/v1/pipeline", Pipeline, parameters)

    def ask_the_deals_behind(self, **parameters: Unpack[DealsBehindParameters]) -> DealsBehind:
        """The deals behind a figure, and the events behind each. `Link` leads to those that
        follow.
        """
        return self._read("/v1/pipeline/deals", DealsBehind, parameters)

    def each_of_ask_the_deals_behind(
        self, **parameters: Unpack[DealsBehindParameters]
    ) -> Iterator[UsedRate]:
        """All of `ask_the_deals_behind`, page by page."""
        return self._each("/v1/pipeline/deals", DealsBehind, "rates", parameters)

    def ask_for_operating_figures(self, **parameters: Unpack[FigureParameters]) -> FigureReport:
        """What was opened, won, lost and put off in periods, and the rates of it, grouped."""
        return self._read("/v1/figures", FigureReport, parameters)

    def list_the_deals_behind_a_figure(
        self, **parameters: Unpack[CountedParameters]
    ) -> CountedDeals:
        """The deals behind a count of one period, and the events that make them count."""
        return self._read("/v1/figures/deals", CountedDeals, parameters)

    def each_of_the_deals_behind_a_figure(
        self, **parameters: Unpack[CountedParameters]
    ) -> Iterator[CountedDeal]:
        """All of `list_the_deals_behind_a_figure`, page by page."""
        return self._each("/v1/figures/deals", CountedDeals, "deals", parameters)

    def ask_for_coverage(self, **parameters: Unpack[CoverageParameters]) -> CoverageReport:
        """What is won of each target, and whether the pipeline covers the rest."""
        return self._read("/v1/coverage", CoverageReport, parameters)

    def ask_the_waterfall(self, **parameters: Unpack[WaterfallParameters]) -> Waterfall:
        """What took the pipeline from one moment to another, grouped."""
        return self._read("/v1/waterfall", Waterfall, parameters)

    def list_the_deals_of_a_waterfall(
        self, **parameters: Unpack[WaterfallDealsParameters]
    ) -> WaterfallDeals:
        """The deals behind a line of the waterfall, by time, and the events that did it."""
        return self._read("/v1/waterfall/deals", WaterfallDeals, parameters)

    def each_of_the_deals_of_a_waterfall(
        self, **parameters: Unpack[WaterfallDealsParameters]
    ) -> Iterator[WaterfallEntry]:
        """All of `list_the_deals_of_a_waterfall`, page by page."""
        return self._each("/v1/waterfall/deals", WaterfallDeals, "entries", parameters)

    def ask_the_flow(self, **parameters: Unpack[FlowParameters]) -> Flow:
        """Visits of every stage: how they began and ended, after how many days, and who is
        stuck.
        """
        return self._read("/v1/flow", Flow, parameters)

    def ask_the_cohorts(self, **parameters: Unpack[CohortParameters]) -> CohortTable:
        """Of the deals opened in one period: how far they came, and how they ended."""
        return self._read("/v1/flow/cohorts", CohortTable, parameters)

    def ask_the_time_in_stage(self, **parameters: Unpack[CurveParameters]) -> TimeInStage:
        """How long deals stay in each stage, by Kaplan and Meier; visits that go on are
        censored.
        """
        return self._read("/v1/flow/survival", TimeInStage, parameters)

    def ask_the_outcomes(self, **parameters: Unpack[CurveParameters]) -> OutcomesOverTime:
        """What deals come to, by days since their opening, by Aalen and Johansen."""
        return self._read("/v1/flow/outcomes", OutcomesOverTime, parameters)

    def list_the_stuck_deals(self, **parameters: Unpack[StuckParameters]) -> StuckDeals:
        """Open deals that have been in their stage for longer than most that were won."""
        return self._read("/v1/flow/stuck", StuckDeals, parameters)

    def each_of_the_stuck_deals(
        self, **parameters: Unpack[StuckParameters]
    ) -> Iterator[StuckStage]:
        """All of `list_the_stuck_deals`, page by page."""
        return self._each("/v1/flow/stuck", StuckDeals, "stages", parameters)
