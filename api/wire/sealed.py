"""Checkpoints and receipts, as they are read over HTTP."""

import msgspec

from api.wire.proofs import KeptCheckpoint
from api.wire.values import Instant
from store.recorder import CheckpointRow


class CheckpointPage(msgspec.Struct, frozen=True):
    """Checkpoints that are kept with the log, the smallest first."""

    checkpoints: list[KeptCheckpoint]
    cursor: int | None
    """Leads to those that follow; null at the end."""


class CheckpointNote(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that is kept with the log, with its text."""

    size: int
    """Of how many events it is."""
    made_at: Instant
    root: str
    """Base64."""
    signers: list[str]
    """Names of who signed, the log itself among them."""
    note: str
    """The text to hand out (C2SP tlog-checkpoint)."""

    @classmethod
    def of(cls, row: CheckpointRow) -> "CheckpointNote":
        kept = KeptCheckpoint.of(row)
        return cls(
            size=kept.size,
            made_at=kept.made_at,
            root=kept.root,
            signers=kept.signers,
            note=row.note,
        )


class Receipt(msgspec.Struct, frozen=True):
    """That one event is in the log."""

    version: int
    """Of the event."""
    proof: str
    """The text that `dealstate audit verify` reads (C2SP tlog-proof)."""


class ReceiptPage(msgspec.Struct, frozen=True):
    """Receipts of a deal's events, in order of version and under one checkpoint."""

    receipts: list[Receipt]
    cursor: int | None
    """Leads to those that follow; null at the end."""


class ConsistencyProof(msgspec.Struct, frozen=True):
    """That nothing under an older checkpoint has changed since."""

    old: int
    """Size of the older checkpoint."""
    new: int
    """Size of the newer one."""
    proof: str
    """The text that `dealstate audit verify` reads."""


class VerifierKeys(msgspec.Struct, frozen=True):
    """The public keys with which checkpoints and receipts of this log are verified."""

    keys: list[str]
    """As `dealstate audit verify --key` takes them (C2SP signed-note)."""
