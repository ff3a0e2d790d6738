"""Users by id and by name."""

from api.wire.values import Names
from api.workspace import Workspace
from domain.history import WITHHELD


class UnknownUser(LookupError):
    """More than one user has this name."""


def names_of(store: Workspace) -> Names:
    """What the users are called. Everybody in the organisation may know that.

    Whose name cannot be read, without keys, is called by the id.
    """
    users = store.log.organisation().directory.users.values()
    called = ((one.id, one.registered.name) for one in users if one.registered is not None)
    return Names({user_id: name for user_id, name in called if name not in WITHHELD})


def user_id_of(wanted: str, names: Names) -> str:
    """The id of a user named by id or by name. Ids need not be registered.

    Raises UnknownUser where several have the name.
    """
    if wanted in names.by_id:
        return wanted
    called = [user_id for user_id, name in names.by_id.items() if name == wanted]
    if len(called) > 1:
        raise UnknownUser(f"{wanted!r} could be any of: {', '.join(called)}. Give the id.")
    return called[0] if called else wanted


def named_user(store: Workspace, wanted: str) -> str:
    """The id of a user named by id or by name. Raises UnknownUser."""
    return user_id_of(wanted, names_of(store))
