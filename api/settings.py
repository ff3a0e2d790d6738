"""Settings of the server. Each is an environment variable with the prefix DEALSTATE_."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.workspace import DEFAULT_DB, DEFAULT_TIMEZONE


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
