"""Routes of 'proofs'. Written by tests/api/client/generation.py."""

from collections.abc import Iterator
from typing import TypedDict, Unpack

from api.client.asking import Routes
from api.client.sending import segment
from api.wire.proofs import KeptCheckpoint
from api.wire.sealed import (
    CheckpointNote,
    CheckpointPage,
    ConsistencyProof,
    Receipt,
    ReceiptPage,
    VerifierKeys,
)


class PageOfProofs(TypedDict, total=False):
    limit: int
    cursor: int


class ConsistencyParameters(TypedDict, total=False):
    since: int


class ProofsRoutes(Routes):
    """Routes of 'proofs'."""

    def prove_the_deal(self, deal_id: str, **parameters: Unpack[PageOfProofs]) -> ReceiptPage:
        """Prove of every event of a deal that it is in the log, for who may see all of the deal.

        All of a deal's receipts are under one checkpoint, so that none of them is left out. What is
        personal or secret in the events stays encrypted.
        """
        return self._read(f"/v1/deals/{segment(deal_id)}/receipts", ReceiptPage, parameters)

    def each_of_prove_the_deal(
        self, deal_id: str, **parameters: Unpack[PageOfProofs]
    ) -> Iterator[Receipt]:
        """All of `prove_the_deal`, page by page."""
        return self._each(
            f"/v1/deals/{segment(deal_id)}/receipts", ReceiptPage, "receipts", parameters
        )

    def prove_the_event(self, deal_id: str, version: int) -> Receipt:
        """Prove of one event that it is in the log, for who may see all of the deal.

        Where no checkpoint covers the event yet, one is made. The receipt stays valid whatever
        happens to the store.
        """
        return self._read(f"/v1/deals/{segment(deal_id)}/receipts/{segment(version)}", Receipt, {})

    def list_the_checkpoints(self, **parameters: Unpack[PageOfProofs]) -> CheckpointPage:
        """The checkpoints that are kept with the log, and who has signed them."""
        return self._read("/v1/checkpoints", CheckpointPage, parameters)

    def each_of_the_checkpoints(
        self, **parameters: Unpack[PageOfProofs]
    ) -> Iterator[KeptCheckpoint]:
        """All of `list_the_checkpoints`, page by page."""
        return self._each("/v1/checkpoints", CheckpointPage, "checkpoints", parameters)

    def show_the_last_checkpoint(self) -> CheckpointNote:
        """The last checkpoint that was made. Keep it where who runs the store cannot change it."""
        return self._read("/v1/checkpoints/latest", CheckpointNote, {})

    def show_the_checkpoint(self, size: int) -> CheckpointNote:
        """One checkpoint, named by how many events it is of."""
        return self._read(f"/v1/checkpoints/{segment(size)}", CheckpointNote, {})

    def prove_consistency(
        self, size: int, **parameters: Unpack[ConsistencyParameters]
    ) -> ConsistencyProof:
        """Prove that nothing under an older checkpoint had changed when this one was made."""
        return self._read(
            f"/v1/checkpoints/{segment(size)}/consistency", ConsistencyProof, parameters
        )

    def show_the_verifier_keys(self) -> VerifierKeys:
        """The public keys that verify checkpoints and receipts. Compare them by another way,
        too.
        """
        return self._read("/v1/verifier-keys", VerifierKeys, {})
