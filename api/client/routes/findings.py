"""Routes of 'findings'. Written by tests/api/client/generation.py."""

from typing import Literal, TypedDict, Unpack

from api.client.asking import Routes
from api.wire.losses import LossAnalysis
from api.wire.warnings import Warnings


class WarningsParameters(TypedDict, total=False):
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
    rule: str | None
    least: Literal["note", "mistake", "blunder"]
    limit: int


class LossParameters(TypedDict, total=False):
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
    group_by: str


class FindingsRoutes(Routes):
    """Routes of 'findings'."""

    def list_the_warnings(self, **parameters: Unpack[WarningsParameters]) -> Warnings:
        """What the rules of good practice warn of on running deals, at any moment."""
        return self._read("/v1/warnings", Warnings, parameters)

    def analyse_the_losses(self, **parameters: Unpack[LossParameters]) -> LossAnalysis:
        """Why, where, when and to whom deals were lost, and which findings go with losing."""
        return self._read("/v1/losses", LossAnalysis, parameters)
