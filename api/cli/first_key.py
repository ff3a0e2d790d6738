"""Whom a server lets in at its first start, and where it may listen at all."""

from typing import TYPE_CHECKING

from api.auth.keys import is_good, make_key
from api.cli.configuring import carried_out
from domain.access import Principal, Role
from domain.organisation import GrantMembership, IssueApiKey, RegisterUser

if TYPE_CHECKING:
    from api.workspace import Workspace

FIRST_USER = "local-admin"
FIRST_ROLES = (Role.ADMIN, Role.AUDITOR)
"""An admin sees no deal; who holds the files of the store may read them all, and so may this one.
Nothing is recorded on a deal under a name that is nobody's."""


def has_key(store: "Workspace") -> bool:
    """Whether there is an API key that is good now."""
    users, now = store.log.organisation().directory.users.values(), store.now()
    return any(is_good(key, now) for user in users for key in user.keys)


def issue_first_key(store: "Workspace", principal: Principal) -> str:
    """Issue a key to a user who may read everything and configure; the token, told this once.

    Cut short, it is done again at the next start: nothing but the key is made twice.
    Raises NotAllowed.
    """
    made = make_key()
    carried_out(store, principal, RegisterUser(FIRST_USER, "Local admin"))
    for role in FIRST_ROLES:
        carried_out(store, principal, GrantMembership(FIRST_USER, role))
    key = IssueApiKey(FIRST_USER, made.id, made.digest, "first key of this store")
    carried_out(store, principal, key)
    return made.token
