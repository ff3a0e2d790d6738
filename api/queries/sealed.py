"""Checkpoints and receipts page by page; the proofs themselves are those of `proofs`."""

from api.queries.proofs import receipt, receipts
from api.queries.views import View
from api.wire.proofs import KeptCheckpoint
from api.wire.sealed import (
    CheckpointNote,
    CheckpointPage,
    ConsistencyProof,
    Receipt,
    ReceiptPage,
    VerifierKeys,
)
from api.workspace import Workspace
from store.notary import UnknownCheckpoint


def checkpoint_page(store: Workspace, limit: int, behind: int) -> CheckpointPage:
    """Checkpoints of more than so many events, the smallest first."""
    found = [row for row in store.notary.checkpoints() if row.size > behind]
    page = found[:limit]
    cursor = page[-1].size if len(found) > limit else None
    return CheckpointPage([KeptCheckpoint.of(row) for row in page], cursor)


def checkpoint_note(store: Workspace, size: int | None = None) -> CheckpointNote:
    """The checkpoint of that size, without one the last. Raises UnknownCheckpoint."""
    if size is None:
        row = store.notary.last_checkpoint()
    else:
        row = next((one for one in store.notary.checkpoints() if one.size == size), None)
    if row is None:
        which = "no checkpoint was made" if size is None else f"none was made of {size} events"
        raise UnknownCheckpoint(which, "Make one: dealstate audit checkpoint.")
    return CheckpointNote.of(row)


def consistency_of(store: Workspace, old: int, new: int) -> ConsistencyProof:
    """That the checkpoint of `new` events extends that of `old`.

    Raises UnknownCheckpoint, LogContradicted.
    """
    return ConsistencyProof(old, new, store.notary.consistency(old, new))


def one_receipt(view: View, version: int) -> Receipt:
    """The receipt of one event. Raises NotAllowed, UnknownEvent, LogContradicted."""
    return Receipt(version, receipt(view, version))


def receipt_page(view: View, limit: int, behind: int) -> ReceiptPage:
    """Receipts of the events behind a version. Raises NotAllowed, LogContradicted."""
    texts = receipts(view)
    page = [Receipt(at, text) for at, text in enumerate(texts, start=1) if at > behind][:limit]
    more = bool(page) and page[-1].version < len(texts)
    return ReceiptPage(page, page[-1].version if more else None)


def verifier_keys(store: Workspace) -> VerifierKeys:
    """The public keys of the log. They are for everybody."""
    return VerifierKeys([str(key) for key in store.notary.verifier_keys()])
