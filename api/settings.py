"""Settings of the server. Each is an environment variable with the prefix DEALSTATE_."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.auth.fetching import is_trusted
from api.auth.oidc import ALGORITHMS, KNOWN_ALGORITHMS, IssuerSettings
from api.workspace import DEFAULT_DB, DEFAULT_TIMEZONE

Several = Annotated[tuple[str, ...], NoDecode]
"""Texts; in an environment variable with commas between."""


class Settings(BaseSettings):
    """What the server serves, and how it reads dates."""

    model_config = SettingsConfigDict(env_prefix="DEALSTATE_", frozen=True)

    db: str = Field(default=DEFAULT_DB, description="URL of the store.")
    kek: str | None = Field(
        default=None,
        description="Where the key-encryption key comes from: file:PATH, env:NAME or"
        " plugin:MODULE:FACTORY; by default the key file beside the store.",
    )
    worker: bool = Field(
        default=True,
        description="Whether the server also keeps the read models up with the log, as `dealstate"
        " worker` does.",
    )
    thresholds: Path | None = Field(
        default=None, description="TOML file that says when the rules of the findings fire."
    )
    fiscal_year_from: int = Field(
        default=1, ge=1, le=12, description="The month, from 1, with which the fiscal year begins."
    )
    timezone: str = Field(
        default=DEFAULT_TIMEZONE, description="Time zone of dates without a time, as an IANA name."
    )
    allowed_hosts: Several = Field(
        default=(),
        description="Names, without a port, by which the server may be addressed besides those of"
        " this machine.",
    )
    oidc_issuer: str | None = Field(
        default=None, description="Address of the identity provider, as its tokens have it in iss."
    )
    oidc_audience: str | None = Field(
        default=None, description="What its tokens for this server have in aud."
    )
    oidc_algorithms: Several = Field(
        default=ALGORITHMS, description="The algorithms that its tokens may be signed with."
    )
    oidc_claim: str = Field(
        default="sub",
        min_length=1,
        description="The claim that holds the id of the user. Users must not be able to choose it.",
    )
    oidc_leeway_seconds: int = Field(
        default=60, ge=0, le=300, description="By how much the clocks may differ."
    )

    @field_validator("allowed_hosts", "oidc_algorithms", mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        return tuple(part.strip() for part in given.split(",") if part.strip())

    @model_validator(mode="after")
    def _check_issuer(self) -> Self:
        if (self.oidc_issuer is None) != (self.oidc_audience is None):
            raise ValueError("oidc_issuer and oidc_audience are given together, or not at all")
        if self.oidc_issuer is not None and not is_trusted(self.oidc_issuer):
            raise ValueError("oidc_issuer begins with https://")
        strange = set(self.oidc_algorithms) - KNOWN_ALGORITHMS
        if strange or not self.oidc_algorithms:
            known = ", ".join(sorted(KNOWN_ALGORITHMS))
            raise ValueError(f"oidc_algorithms are one or more of {known}")
        return self

    @property
    def identity_provider(self) -> IssuerSettings | None:
        """Whose tokens count; None: only API keys do."""
        if self.oidc_issuer is None or self.oidc_audience is None:
            return None
        return IssuerSettings(
            self.oidc_issuer,
            self.oidc_audience,
            self.oidc_algorithms,
            self.oidc_claim,
            self.oidc_leeway_seconds,
        )
