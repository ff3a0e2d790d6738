"""Which deals, by the dimensions that are reported of them."""

from pydantic import Field

from api.routes.common import AtParameters, ParameterFault, Parameters
from domain.rates import require_currency
from domain.refusals import UnknownCurrency
from projections.pipeline import DIMENSIONS


class DealFilters(Parameters):
    """Which deals. An empty value finds deals without one."""

    stage: str | None = Field(None, description="Only deals in this stage.")
    owner: str | None = Field(None, description="Only deals of this user, by id or name.")
    region: str | None = Field(None, description="Only deals of this sales region.")
    industry: str | None = Field(None, description="Only deals with this industry.")
    territory: str | None = Field(None, description="Only deals of this territory.")
    product: str | None = Field(None, description="Only deals for this product.")
    business_type: str | None = Field(None, description="Only deals of this business type.")
    lead_source: str | None = Field(None, description="Only deals that came from this source.")
    forecast_category: str | None = Field(None, description="Only deals of this category.")
    grade: str | None = Field(None, description="Only deals of this grade.")
    currency: str | None = Field(None, description="Only deals in this currency.")
    process: str | None = Field(None, description="Only deals under this process and version.")

    def where(self) -> dict[str, str]:
        values = {name: getattr(self, name) for name in DIMENSIONS}
        return {name: value for name, value in values.items() if value is not None}


class FilteredParameters(DealFilters, AtParameters):
    """Both axes of time, and which deals. An empty value finds deals without one."""


def currency_in(text: str | None) -> str | None:
    """The currency that `reporting_currency` names. Raises ParameterFault."""
    if text is None:
        return None
    try:
        return require_currency(text)
    except UnknownCurrency as error:
        raise ParameterFault("reporting_currency", str(error)) from None


def dimensions_in(text: str) -> list[str]:
    """The dimensions that `group_by` names, each once. Raises ParameterFault."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in DIMENSIONS:
            raise ParameterFault(
                "group_by", f"there is no dimension {name!r}; use {', '.join(DIMENSIONS)}"
            )
    return list(dict.fromkeys(names))
