"""The organisation as it is now, page by page."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from api.auth.keys import is_good
from api.cursors import packed, unpacked
from api.wire.administration import KeyPage, LimitsInForce, UnitPage, UserPage
from api.wire.organisation import ApiKey, Limits, RegisteredUser, Unit, UnitList
from api.workspace import Workspace
from domain.directory import User
from domain.history import StreamKind, stream_of
from domain.organisation import LIMITS_STREAM

MOST = 1_000
T = TypeVar("T")


class Behind(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Behind which one a listing goes on."""

    user: str
    id: str = ""


def _page(
    found: Sequence[T], place: Callable[[T], Behind], limit: int, cursor: str | None
) -> tuple[Sequence[T], str | None]:
    """What follows the cursor, of what is in order of its place, and where to go on."""
    first = 0
    if cursor is not None:
        behind = msgspec.structs.astuple(unpacked(cursor, Behind))
        first = bisect_right(found, behind, key=lambda one: msgspec.structs.astuple(place(one)))
    page = found[first : first + limit]
    return page, packed(place(page[-1])) if first + limit < len(found) else None


def users_page(store: Workspace, limit: int, cursor: str | None) -> UserPage:
    """Users by id. Raises CursorError."""
    users = store.log.organisation().directory.users
    page, more = _page(sorted(users), Behind, limit, cursor)
    return UserPage([RegisteredUser.of(users[user_id]) for user_id in page], more)


def units_page(store: Workspace, limit: int, cursor: str | None) -> UnitPage:
    """Units by id. Raises CursorError."""
    found = UnitList.of(store.log.organisation()).units
    page, more = _page(found, lambda one: Behind(one.id), limit, cursor)
    return UnitPage(list(page), more)


def keys_page(store: Workspace, user: str | None, limit: int, cursor: str | None) -> KeyPage:
    """The API keys that were not revoked, of one user or of all. Raises CursorError."""
    users, now = store.log.organisation().directory.users, store.now()
    wanted = [one for one in users.values() if user in {None, one.id}]
    found = [ApiKey.of(key, good=is_good(key, now)) for one in wanted for key in one.keys]
    found.sort(key=lambda one: (one.user, one.id))
    page, more = _page(found, lambda one: Behind(one.user, one.id), limit, cursor)
    return KeyPage(list(page), more)


def show_user(store: Workspace, user_id: str) -> tuple[RegisteredUser, int] | None:
    """A user, and the version of their stream; None where there is none."""
    if "\0" in user_id:
        return None
    version = store.log.records.version(stream_of(StreamKind.USER, user_id))
    user = store.log.organisation().directory.users.get(user_id, User(user_id))
    return None if user.registered is None else (RegisteredUser.of(user), version)


def show_unit(store: Workspace, unit_id: str) -> tuple[Unit, int] | None:
    """A unit, and the version of its stream; None where there is none."""
    if "\0" in unit_id:
        return None
    version = store.log.records.version(stream_of(StreamKind.UNIT, unit_id))
    units = UnitList.of(store.log.organisation()).units
    return next(((unit, version) for unit in units if unit.id == unit_id), None)


def show_limits(store: Workspace) -> LimitsInForce:
    """The authority limits, and the version that replacing them has to name."""
    version = store.log.records.version(LIMITS_STREAM)
    return LimitsInForce(version, Limits.of(store.log.organisation().limits).roles)
