"""Users by id and by name."""

from api.wire.values import Names
from api.workspace import Workspace
from domain.access import EVERYTHING
from domain.directory import Directory
from domain.history import WITHHELD, StreamKind
from store.errors import UnreadableEvent


class UnknownUser(LookupError):
    """More than one user has this name."""


def names_of(store: Workspace) -> Names:
    """What the users are called. Everybody in the organisation may know that.

    Whose name cannot be read, without keys or since an event is damaged, is called by the id:
    names are only shown, nothing is decided on them.
    """
    try:
        directory = store.log.organisation().directory
    except UnreadableEvent:
        directory = _legible_directory(store)
    users = directory.users.values()
    called = ((one.id, one.registered.name) for one in users if one.registered is not None)
    return Names({user_id: name for user_id, name in called if name not in WITHHELD})


def _legible_directory(store: Workspace) -> Directory:
    """The users as far as their events can be read."""
    names = store.log.streams(StreamKind.USER)
    return Directory.of(store.log.events_of(names, EVERYTHING, lambda _: None).values())


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
