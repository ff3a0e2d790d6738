"""Carrying out commands on the organisation."""

from uuid import uuid4

from api.cli.output import say
from api.plain import clean
from api.workspace import Workspace
from domain.access import Principal
from domain.history import Fact
from domain.intent import Intent
from domain.organisation import AnyOrganisationCommand, AnyOrganisationFact, describe


def carry_out(store: Workspace, principal: Principal, command: AnyOrganisationCommand) -> None:
    """Carry out a command now, and tell what it led to. Raises Refusal."""
    facts = carried_out(store, principal, command)
    if not facts:
        say("Nothing changed.")
    for fact in facts:
        assert isinstance(fact, AnyOrganisationFact)
        what = describe(fact)
        say(clean(f"{what[0].upper()}{what[1:]}."))


def carried_out(
    store: Workspace, principal: Principal, command: AnyOrganisationCommand
) -> list[Fact]:
    """Carry out a command now. What it led to, none where it changed nothing. Raises Refusal."""
    now = store.now()
    intent = Intent(
        command_id=str(uuid4()), principal=principal, source="cli", now=now, occurred_at=now
    )
    return [event.fact for event in store.log.configure(command, intent).events]
