"""Who may be told what a command led to that was carried out before."""

from domain.access import Principal
from domain.deal import DealCommand, History, require_rights
from domain.lifecycle.commands import OpenOpportunity
from domain.organisation import Organisation


def require_may_repeat(
    command: DealCommand,
    history: History,
    first_version: int,
    principal: Principal,
    organisation: Organisation,
) -> None:
    """Raise NotAllowed unless the principal has the rights for the command, as of now.

    `first_version` is that of the first event it led to. Whoever opened a deal for
    somebody else is not on it, and may repeat that.
    """
    if isinstance(command, OpenOpportunity) and first_version == 1:
        history = History(history.stream)
    require_rights(command, history, principal, organisation)
