"""Routes of 'accounts'. Written by tests/api/client/generation.py."""

from collections.abc import Iterator
from typing import Literal, TypedDict, Unpack

from api.client.asking import Routes
from api.client.sending import segment
from api.wire.accounts import AccountDetail, AccountList
from api.wire.conversions import UsedRate


class AccountListParameters(TypedDict, total=False):
    reporting_currency: str | None
    search: str
    sort: Literal["name", "deals", "won", "open"]
    limit: int
    cursor: str | None


class AccountParameters(TypedDict, total=False):
    reporting_currency: str | None


class AccountsRoutes(Routes):
    """Routes of 'accounts'."""

    def list_the_accounts(self, **parameters: Unpack[AccountListParameters]) -> AccountList:
        """Customer organisations, across their deals: won value, open pipeline, win rate."""
        return self._read("/v1/accounts", AccountList, parameters)

    def each_of_the_accounts(
        self, **parameters: Unpack[AccountListParameters]
    ) -> Iterator[UsedRate]:
        """All of `list_the_accounts`, page by page."""
        return self._each("/v1/accounts", AccountList, "rates", parameters)

    def show_the_account(
        self, account: str, **parameters: Unpack[AccountParameters]
    ) -> AccountDetail:
        """One customer organisation: its deals, and whom we met there in any of them."""
        return self._read(f"/v1/accounts/{segment(account)}", AccountDetail, parameters)
