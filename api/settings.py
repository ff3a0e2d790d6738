"""Settings of the server. Each is an environment variable with the prefix DEALSTATE_."""

from ipaddress import ip_network
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
    timeout_seconds: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        description="How long a request may take to be answered. What takes longer is stopped.",
    )
    request_seconds: float = Field(
        default=20.0,
        gt=0,
        le=3600,
        description="How long a client may take to send a request, from its first byte to its"
        " last.",
    )
    keep_alive_seconds: int = Field(
        default=75,
        ge=1,
        le=3600,
        description="How long a connection is kept that no request comes by. Longer than a proxy"
        " in front keeps its own.",
    )
    most_connections: int = Field(
        default=1000, ge=1, description="How many connections each process keeps at most."
    )
    shutdown_seconds: int = Field(
        default=20,
        ge=1,
        le=3600,
        description="How long requests may take to be finished once the server is told to end.",
    )
    drain_seconds: float = Field(
        default=0.0,
        ge=0,
        le=600,
        description="How long the server goes on once it is told to end, while /readyz says that"
        " it is not ready: so long a balancer takes to notice.",
    )
    one_core: bool = Field(
        default=True,
        description="Whether each process keeps to one core, where Python runs one thread at a time"
        " anyway: several cores only slow it down. Large questions use all cores all the same.",
    )
    open_metrics: bool = Field(
        default=False,
        description="Whether /metrics takes no key. Whoever reaches the server sees it then.",
    )
    log_users: bool = Field(
        default=False,
        description="Whether the log tells the id of the user who made a request. What ids say of"
        " people is up to who chose them.",
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
    webhook_networks: Several = Field(
        default=(),
        description="Networks, as 10.1.0.0/16, to which webhooks may be posted although they are"
        " not public. Where one of them is loopback, webhooks may be posted there by http.",
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

    session_hours: int = Field(
        default=8, ge=1, le=168, description="How long the session of a browser lasts."
    )
    rate_per_second: float = Field(
        default=100,
        ge=0,
        description="How many requests of a user are taken in a second, in the long run; 0: any.",
    )
    rate_burst: int = Field(
        default=1_000, ge=1, description="How many requests of a user are taken at once."
    )
    requests_at_once: int = Field(
        default=1_000, ge=0, description="How many requests are taken on at once; 0: any."
    )

    streams_per_caller: int = Field(
        default=10, ge=1, description="How many streams of events a user may have open at once."
    )
    most_streams: int = Field(
        default=500, ge=0, description="How many streams of events each process keeps in all."
    )
    stream_seconds: float = Field(
        default=3600,
        ge=0,
        le=86_400,
        description="How long a stream of events stays open. Then its reader comes back; 0: each"
        " ends once it has sent what was there.",
    )
    stream_keep_alive_seconds: float = Field(
        default=15,
        gt=0,
        le=600,
        description="After how long without an event a stream says that it is alive. Less than a"
        " proxy in front waits for a word.",
    )

    @field_validator("allowed_hosts", "oidc_algorithms", "webhook_networks", mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        return tuple(part.strip() for part in given.split(",") if part.strip())

    @field_validator("webhook_networks")
    @classmethod
    def _check_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for one in given:
            ip_network(one)
        return given

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
