"""Who is in the organisation over HTTP: users, units, keys, and how far roles may go alone."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.exceptions import HTTPException

from api.cursors import unpacked
from api.queries.organisation import (
    MOST,
    Behind,
    keys_page,
    show_limits,
    show_unit,
    show_user,
    units_page,
    users_page,
)
from api.queries.views import LONGEST_NAME
from api.routes.common import Answer, Parameters, Store, answers, next_link, takes, waits
from api.routes.conditions import etag
from api.wire.administration import KeyPage, LimitsInForce, UnitPage, UserPage
from api.wire.organisation import RegisteredUser, Unit
from api.workspace import Workspace
from domain.access import Action

router = APIRouter(prefix="/v1", tags=["organisation"], default_response_class=Answer)


def tagged(shape: type[msgspec.Struct], what: str) -> dict[int | str, dict[str, Any]]:
    """What a route answers with that shows one thing and its version."""
    found = answers(shape, what)
    found[200]["headers"] = {"ETag": ETAG_HEADER}
    return found


def _tagged(found: tuple[msgspec.Struct, int] | None) -> Answer:
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    shown, version = found
    return Answer(shown, headers={"ETag": etag(version)})


ETAG_HEADER = {
    "description": "Version of what is shown, for `If-Match`.",
    "schema": {"type": "string", "examples": ['"7"']},
}


class PageParameters(Parameters):
    """Where a listing goes on."""

    limit: int = Field(200, ge=1, le=MOST, description="At most so many.")
    cursor: str | None = Field(None, description="Goes on where an earlier answer ended.")

    def check(self, store: Workspace) -> None:
        if self.cursor is not None:
            unpacked(self.cursor, Behind)


class KeyParameters(PageParameters):
    """Which keys."""

    user: str | None = Field(
        None, max_length=LONGEST_NAME, description="Only those of this user, by id."
    )


@router.get(
    "/users",
    responses=answers(UserPage, "The users."),
    dependencies=[takes(), waits(PageParameters)],
)
def list_the_users(
    request: Request, store: Store, parameters: Annotated[PageParameters, Query()]
) -> Answer:
    """Every user with the roles they hold now. `Link` leads to those that follow."""
    page = users_page(store, parameters.limit, parameters.cursor)
    return Answer(page, headers=next_link(request, page.cursor))


@router.get(
    "/users/{user_id}",
    responses=tagged(RegisteredUser, "The user."),
    dependencies=[takes(), waits(Parameters)],
)
def show_the_user(
    store: Store,
    _: Annotated[Parameters, Query()],
    user_id: Annotated[str, Path(description="Id of the user.", max_length=LONGEST_NAME)],
) -> Answer:
    """One user, and the roles they hold now."""
    return _tagged(show_user(store, user_id))


@router.get(
    "/units",
    responses=answers(UnitPage, "The units."),
    dependencies=[takes(), waits(PageParameters)],
)
def list_the_units(
    request: Request, store: Store, parameters: Annotated[PageParameters, Query()]
) -> Answer:
    """Every unit, the unit above it, and who is in it. `Link` leads to those that follow."""
    page = units_page(store, parameters.limit, parameters.cursor)
    return Answer(page, headers=next_link(request, page.cursor))


@router.get(
    "/units/{unit_id}",
    responses=tagged(Unit, "The unit."),
    dependencies=[takes(), waits(Parameters)],
)
def show_the_unit(
    store: Store,
    _: Annotated[Parameters, Query()],
    unit_id: Annotated[str, Path(description="Id of the unit.", max_length=LONGEST_NAME)],
) -> Answer:
    """One unit, the unit above it, and who is in it now."""
    return _tagged(show_unit(store, unit_id))


@router.get(
    "/limits",
    responses=tagged(LimitsInForce, "The limits."),
    dependencies=[takes(), waits(Parameters)],
)
def show_the_limits(store: Store, _: Annotated[Parameters, Query()]) -> Answer:
    """How far each role may go alone in a negotiation. `ETag` is for replacing them."""
    limits = show_limits(store)
    return _tagged((limits, limits.version))


@router.get(
    "/keys",
    responses=answers(KeyPage, "The keys."),
    dependencies=[takes(Action.CONFIGURE, Action.AUDIT), waits(KeyParameters)],
)
def list_the_keys(
    request: Request, store: Store, parameters: Annotated[KeyParameters, Query()]
) -> Answer:
    """The API keys that were not revoked: whose, what for and until when, not what is sent."""
    page = keys_page(store, parameters.user, parameters.limit, parameters.cursor)
    return Answer(page, headers=next_link(request, page.cursor))
