"""Routes of 'rates'. Written by tests/api/client/generation.py."""

from collections.abc import Iterator
from datetime import date
from typing import Literal, TypedDict, Unpack

from api.client.asking import Routes
from api.wire.administration import TableImport
from api.wire.rates import ExchangeRate, RateList


class RateParameters(TypedDict, total=False):
    base: str | None
    currency: str | None
    since: date | None
    known_at: str | None
    limit: int
    cursor: str | None


class RateTableParameters(TypedDict, total=False):
    encoding: Literal[
        "utf-8",
        "utf-16",
        "iso-8859-1",
        "iso-8859-15",
        "cp1252",
        "cp1250",
        "cp1251",
        "gb18030",
        "big5",
        "shift_jis",
        "cp949",
    ]
    delimiter: Literal[",", ";", "|", "tab"] | None
    dry_run: bool
    base: str | None


class RatesRoutes(Routes):
    """Routes of 'rates'."""

    def list_the_rates(self, **parameters: Unpack[RateParameters]) -> RateList:
        """Exchange rates as they were published. `Link` leads to those that follow."""
        return self._read("/v1/rates", RateList, parameters)

    def each_of_the_rates(self, **parameters: Unpack[RateParameters]) -> Iterator[ExchangeRate]:
        """All of `list_the_rates`, page by page."""
        return self._each("/v1/rates", RateList, "rates", parameters)

    def import_the_rates(
        self, body: bytes, *, key: str | None = None, **parameters: Unpack[RateTableParameters]
    ) -> TableImport:
        """Import exchange rates: one to a row, or a day to a row as the European Central Bank
        does.
        """
        return self._write("/v1/rates/import", TableImport, body, parameters, key=key)
