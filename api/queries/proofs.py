"""What proves the log to others: checkpoints, receipts, disclosures."""

from datetime import UTC
from uuid import uuid4

from api.queries.views import View
from api.wire.proofs import LastCheckpoint
from api.workspace import Workspace
from domain.access import EVERYTHING, Principal
from domain.history import StreamKind
from domain.intent import Intent
from domain.refusals import NotAllowed
from store.disclosure import closed_field
from store.disclosure import disclose as hand_out
from store.events.stored import UNREADABLE, read_stored
from store.notary import LogContradicted
from store.seals.merkle import ProofError
from store.seals.notes import parse_checkpoint, parse_note


def last_checkpoint(store: Workspace) -> LastCheckpoint | None:
    """The last one that is kept with the log, held against its hashes; None where none was made."""
    last = store.notary.last_checkpoint()
    if last is None:
        return None
    try:
        store.notary.require_begins_with(parse_checkpoint(parse_note(last.note).text))
        holds = True
    except (LogContradicted, ProofError):
        holds = False
    return LastCheckpoint.of(last, store.log.head(), holds=holds)


def reference_of(store: Workspace, stream: str) -> str | None:
    """What the deal of a stream was called by when it was opened, if that can still be read.

    Its reference, or else its name; both are public. It is read past all checks, for
    a log that may be damaged.
    """
    if not stream.startswith(f"{StreamKind.DEAL}:"):
        return None
    found = store.log.records.event(stream, 1)
    if found is None:
        return None
    try:
        fact = read_stored(found[1]).fact
    except UNREADABLE:
        return None
    called = fact.get("reference") or fact.get("name")
    return called if isinstance(called, str) else None


def receipt(view: View, version: int) -> str:
    """The receipt of one event of a deal, for those who see everything of it.

    What is encrypted in it stays so, but how long it is can be seen. Raises
    NotAllowed, UnknownEvent, LogContradicted.
    """
    _require_everything(view)
    return view.store.notary.receipt(view.stream, version)


def receipts(view: View) -> list[str]:
    """The receipts of all events of a deal, in order of version and under one checkpoint.

    Raises NotAllowed, LogContradicted.
    """
    _require_everything(view)
    return view.store.notary.receipts(view.stream)


def _require_everything(view: View) -> None:
    if view.visible != EVERYTHING:
        raise NotAllowed(
            "a receipt holds what is encrypted too, and you may not see all of this deal",
            "Ask somebody who may: a member of the deal's team, their manager, or an auditor.",
        )


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
