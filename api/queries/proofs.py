"""What proves the log to others: checkpoints, receipts, disclosures."""

from datetime import UTC
from uuid import uuid4

from api.queries.views import View
from api.wire.proofs import LastCheckpoint
from api.workspace import Workspace
from domain.access import EVERYTHING, Principal
from domain.intent import Intent
from domain.refusals import NotAllowed
from store.disclosure import closed_field
from store.disclosure import disclose as hand_out


def last_checkpoint(store: Workspace) -> LastCheckpoint | None:
    """The last one that is kept with the log; None where none was made."""
    kept = store.notary.checkpoints()
    return LastCheckpoint.of(kept[-1], store.log.head()) if kept else None


def receipt(view: View, version: int) -> str:
    """The receipt of one event of a deal, for those who see everything of it.

    What is encrypted in it stays so, but how long it is can be seen. Raises
    NotAllowed, UnknownEvent, LogContradicted.
    """
    if view.visible != EVERYTHING:
        raise NotAllowed(
            "a receipt holds what is encrypted too, and you may not see all of this deal",
            "Ask somebody who may: a member of the deal's team, their manager, or an auditor.",
        )
    return view.store.notary.receipt(view.stream, version)


def disclose(view: View, version: int, field: str, principal: Principal, source: str) -> str:
    """The receipt of an event with the value of one encrypted field, for who may see it.

    It is recorded who has made it. Raises NotAllowed, UnknownEvent, FieldNotEncrypted,
    FieldErased.
    """
    store = view.store
    closed = closed_field(store.log, view.deal_id, version, field)
    if closed.sensitivity not in view.visible:
        raise NotAllowed(
            f"{principal.id} may not see what is {closed.sensitivity} here",
            "Ask somebody who may: a member of the deal's team, their manager, or an auditor.",
        )
    now = store.now().astimezone(UTC)
    intent = Intent(str(uuid4()), principal, source, now=now, occurred_at=now)
    return hand_out(store.log, store.notary, closed, intent)
