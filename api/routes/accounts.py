"""Customer organisations over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from api.queries.accounts import (
    AccountOrder,
    AccountQuery,
    AmountsNeedACurrency,
    list_accounts,
    show_account,
)
from api.routes.common import (
    READS_DEALS,
    Answer,
    Caller,
    ParameterFault,
    Parameters,
    Store,
    answers,
    next_link,
    positioned,
    waits,
)
from api.routes.filters import currency_in
from api.wire.accounts import AccountDetail, AccountList
from api.workspace import Workspace

router = APIRouter(prefix="/v1/accounts", tags=["accounts"], default_response_class=Answer)

_CURRENCY = "Report all amounts in this currency, as in EUR, with the rates of today."


class AccountParameters(Parameters):
    """In which currency."""

    reporting_currency: str | None = Field(None, description=_CURRENCY)

    def check(self, store: Workspace) -> None:
        self.target()

    def target(self) -> str | None:
        return currency_in(self.reporting_currency)


class AccountListParameters(AccountParameters):
    """Which accounts, in which order."""

    search: str = Field("", max_length=200, description="Only those whose name or id holds it.")
    sort: AccountOrder = Field(
        AccountOrder.NAME,
        description="Names from A, numbers from the largest; amounts need a currency.",
    )
    limit: int = Field(50, ge=1, le=1000, description="At most so many.")
    cursor: str | None = Field(None, description="Goes on where an earlier answer ended.")

    def query(self) -> AccountQuery:
        return AccountQuery(self.search, self.sort, self.target(), self.limit, self.cursor)


@router.get(
    "",
    responses=answers(AccountList, "The accounts.", has_position=True),
    dependencies=[READS_DEALS, waits(AccountListParameters)],
)
def list_the_accounts(
    request: Request,
    store: Store,
    caller: Caller,
    parameters: Annotated[AccountListParameters, Query()],
) -> Answer:
    """Customer organisations, across their deals: won value, open pipeline, win rate."""
    query = parameters.query()
    try:
        answer, position = positioned(store, lambda: list_accounts(store, caller, query))
    except AmountsNeedACurrency as error:
        raise ParameterFault("sort", f"{error} with reporting_currency") from None
    return Answer(answer, headers=position | next_link(request, answer.cursor))


@router.get(
    "/{account}",
    responses=answers(AccountDetail, "The account.", has_position=True),
    dependencies=[READS_DEALS, waits(AccountParameters)],
)
def show_the_account(
    store: Store,
    caller: Caller,
    account: Annotated[str, Path(description="Its id or its whole name.", max_length=500)],
    parameters: Annotated[AccountParameters, Query()],
) -> Answer:
    """One customer organisation: its deals, and whom we met there in any of them."""
    currency = parameters.target()
    answer, position = positioned(store, lambda: show_account(store, caller, account, currency))
    return Answer(answer, headers=position)
