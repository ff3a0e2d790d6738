"""Handing the deals of one user to another."""

from typing import Annotated

import msgspec

from domain.values import Identifier, Label, Text

MOST_NAMED = 1_000


class WantedDeals(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which of their deals, by what they have; all where nothing is given."""

    stage: Label | None = None
    region: Label | None = None
    industry: Label | None = None
    territory: Label | None = None
    product: Label | None = None
    business_type: Label | None = None
    currency: Label | None = None
    process: Label | None = None
    """Process and version, as in key-account/1."""
    manager: Identifier | None = None
    """The manager on its team, by id."""


class WantedReassignment(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Hand the deals of a user that are not over to another user."""

    from_owner: Identifier
    """Whose deals, by id."""
    to_owner: Identifier
    """Who owns them from now on, by id."""
    deals: Annotated[tuple[Identifier, ...], msgspec.Meta(max_length=MOST_NAMED)] = ()
    """Only these, by id."""
    where: WantedDeals = WantedDeals()
    """Only those that have all of this."""
    reason: Text | None = None
    """Why; recorded on each deal."""
    dry_run: bool = False
    """Tell what would be done, and record nothing."""


class ReassignedDeal(msgspec.Struct, frozen=True):
    """A deal that was handed over, or would be."""

    deal_id: str
    version: int
    """Of the deal once it was; of a dry run, its version now."""
    token: str
    """For the header `Dealstate-Wait-For`."""


class RefusedDeal(msgspec.Struct, frozen=True):
    """A deal that was not handed over."""

    deal_id: str
    code: str
    detail: str
    satisfied_by: str | None
    """What would have to be so."""


class Reassigned(msgspec.Struct, frozen=True):
    """What came of handing deals over. All in order of deal ids."""

    dry_run: bool
    done: list[ReassignedDeal]
    refused: list[RefusedDeal]
    """Sending the request again under its key tries them again."""
    left: list[str]
    """Deals that were named and were not theirs, were over, or are not for the sender to see."""
    remaining: int
    """Deals not come to yet: send the request again under its key."""
