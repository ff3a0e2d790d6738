"""What was handed out of encrypted fields, beyond those who may read them here.

Streams `access:<deal id>`, so that looking at a deal's secrets is no part of its history.
"""

from typing import Annotated

import msgspec

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


def describe(fact: FieldDisclosed) -> str:
    """What happened, in a phrase."""
    return f"disclosed the field {fact.field} of version {fact.version} of deal {fact.deal}"
