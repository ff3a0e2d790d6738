"""Who was shown what is secret, and what was handed out of it.

Streams `access:<deal id>`, so that looking at a deal's secrets is no part of its history, and
`export:<what>` for what was taken out of the whole store at once.
"""

from typing import Annotated

import msgspec

from domain.access import Principal, Role, Sensitivity
from domain.history import Fact
from domain.values import Identifier, Label

AtVersion = Annotated[int, msgspec.Meta(ge=1)]


class FieldDisclosed(Fact, tag="field-disclosed", frozen=True):
    """The value of an encrypted field was written into a receipt, for others to read and check."""

    deal: Identifier
    """Id of the deal that the event is of."""
    version: AtVersion
    """Of the event that holds the field."""
    field: Label
    """The name of the field, as it is stored."""


class SecretsRead(Fact, tag="secrets-read", frozen=True):
    """Somebody was shown a deal with all that they may see of it, its secrets among that.

    Whether it held any is not told. Once a day, in UTC, for each user and deal.
    """

    deal: Identifier
    """Id of the deal."""
    route: Label
    """How they asked first on that day: method and path over HTTP, or the command."""
    visible: tuple[Sensitivity, ...]
    """What they may see of the deal."""


class DataExported(Fact, tag="data-exported", frozen=True):
    """Somebody was shown what the whole store holds: secrets of all deals, or people by name.

    Once a day, in UTC, for each user and each of what there is.
    """

    what: Label
    """What it was: the trail of everything, a process tried on all deals, people looked up."""
    route: Label
    """How they asked first on that day: method and path over HTTP, or the command."""
    visible: tuple[Sensitivity, ...]
    """What they may see of it."""


AnyAccessFact = FieldDisclosed | SecretsRead | DataExported


def is_recorded(principal: Principal, visible: frozenset[Sensitivity]) -> bool:
    """Whether it is recorded that somebody is shown so much.

    What is public is not, and what is personal only where it is looked for in the whole store.
    """
    return Sensitivity.SECRET in visible and not holds_the_keys(principal)


def holds_the_keys(principal: Principal) -> bool:
    """Whether it is the operator, who can read all of it without leaving a trace anyway."""
    return Role.OPERATOR in principal.roles


def describe(fact: AnyAccessFact) -> str:
    """What happened, in a phrase."""
    match fact:
        case FieldDisclosed():
            return f"disclosed the field {fact.field} of version {fact.version} of deal {fact.deal}"
        case SecretsRead():
            return f"read deal {fact.deal} with its secrets: {fact.route}"
        case DataExported() if Sensitivity.SECRET not in fact.visible:
            return f"looked for {fact.what} by name: {fact.route}"
        case DataExported():
            return f"read {fact.what} with the secrets of all deals: {fact.route}"
