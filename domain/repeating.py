"""Who may be told what a command led to that was carried out before."""

from msgspec.structs import replace

from domain.access import Principal
from domain.deal import DealCommand, History, require_rights
from domain.lifecycle.commands import OpenOpportunity
from domain.organisation import (
    AnyOrganisationCommand,
    EndMembership,
    Organisation,
    require_may_configure,
)
from domain.refusals import NotAllowed


def require_may_repeat(
    command: DealCommand,
    history: History,
    versions: tuple[int, int],
    principal: Principal,
    organisation: Organisation,
) -> None:
    """Raise NotAllowed unless the principal has the rights for the command, as of now.

    `versions` are those of the first and the last event it led to. A right that those events
    themselves took away still counts, as far as the roles of now give it: whoever handed a deal
    over, or left its team, may repeat that. Whoever opened a deal for somebody else, too.
    """
    first, last = versions
    if isinstance(command, OpenOpportunity) and first == 1:
        history = History(history.stream)
    try:
        require_rights(command, history, principal, organisation)
    except NotAllowed:
        before = History.of(history.stream, history.events[: first - 1])
        after = History.of(history.stream, history.events[:last])
        if not _may(command, before, principal, organisation):
            raise
        if _may(command, after, principal, organisation):
            # They kept it then; it was taken away by something else.
            raise


def _may(
    command: DealCommand, history: History, principal: Principal, organisation: Organisation
) -> bool:
    try:
        require_rights(command, history, principal, organisation)
    except NotAllowed:
        return False
    return True


def require_may_repeat_configuring(
    command: AnyOrganisationCommand, principal: Principal, *, changed: bool
) -> None:
    """The same for a command on the organisation; `changed`: whether it led to any event.

    Whoever ended a role of their own may repeat that by the right of this very role.
    """
    if changed and isinstance(command, EndMembership) and command.user == principal.id:
        principal = replace(principal, roles=principal.roles | {command.role})
    require_may_configure(command, principal)
