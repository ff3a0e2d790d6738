"""The directory of users: who the opaque ids in events stand for. Stream `user:<id>`."""

from domain.history import Fact
from domain.values import Identifier, Label


class UserRegistered(Fact, tag="user-registered", frozen=True):
    """A user became known, or is known under a new name."""

    user: Identifier
    name: Label
    reference: Identifier | None = None
    """Id or name of the user in the system they were imported from."""
