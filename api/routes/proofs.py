"""Proofs over HTTP: checkpoints, receipts, consistency, and the keys that verify them."""

from enum import StrEnum
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field

from api.queries.sealed import (
    checkpoint_note,
    checkpoint_page,
    consistency_of,
    one_receipt,
    receipt_page,
    verifier_keys,
)
from api.routes.common import (
    LARGEST,
    Answer,
    Parameters,
    ReadableDeal,
    Store,
    answers,
    next_link,
    takes,
    waits,
)
from api.wire.sealed import (
    CheckpointNote,
    CheckpointPage,
    ConsistencyProof,
    Receipt,
    ReceiptPage,
    VerifierKeys,
)
from domain.access import Action

router = APIRouter(prefix="/v1", tags=["proofs"], default_response_class=Answer)

Size = Annotated[int, Path(ge=0, le=LARGEST, description="Of how many events the checkpoint is.")]
Version = Annotated[int, Path(ge=1, le=LARGEST, description="Version of the event.")]

_TEXT = ("text/plain",)


class ProofFormat(StrEnum):
    """As what a proof is sent."""

    JSON = "json"
    TEXT = "text"


class ProofParameters(Parameters):
    """As what to send a proof."""

    format: ProofFormat = Field(
        ProofFormat.JSON, description="JSON, or the text alone, which is what verifies."
    )


class ConsistencyParameters(ProofParameters):
    """Since when, and as what to send it."""

    since: int = Field(ge=1, le=LARGEST, description="Size of the older checkpoint.")


class PageOfProofs(Parameters):
    """How many, and from where on."""

    limit: int = Field(100, ge=1, le=500, description="At most so many.")
    cursor: int = Field(0, ge=0, le=LARGEST, description="Goes on where an earlier answer ended.")


def _told(answer: msgspec.Struct, text: str, wanted: ProofFormat) -> Response:
    return PlainTextResponse(text) if wanted is ProofFormat.TEXT else Answer(answer)


@router.get(
    "/deals/{deal_id}/receipts",
    responses=answers(ReceiptPage, "The receipts."),
    dependencies=[waits(PageOfProofs)],
)
def prove_the_deal(
    request: Request, deal: ReadableDeal, parameters: Annotated[PageOfProofs, Query()]
) -> Answer:
    """Prove of every event of a deal that it is in the log, for who may see all of the deal.

    All of a deal's receipts are under one checkpoint, so that none of them is left out. What is
    personal or secret in the events stays encrypted.
    """
    page = receipt_page(deal, parameters.limit, parameters.cursor)
    more = None if page.cursor is None else str(page.cursor)
    return Answer(page, headers=next_link(request, more))


@router.get(
    "/deals/{deal_id}/receipts/{version}",
    responses=answers(Receipt, "The receipt.", also=_TEXT),
    dependencies=[waits(ProofParameters)],
)
def prove_the_event(
    deal: ReadableDeal, version: Version, parameters: Annotated[ProofParameters, Query()]
) -> Response:
    """Prove of one event that it is in the log, for who may see all of the deal.

    Where no checkpoint covers the event yet, one is made. The receipt stays valid whatever
    happens to the store.
    """
    found = one_receipt(deal, version)
    return _told(found, found.proof, parameters.format)


@router.get(
    "/checkpoints",
    responses=answers(CheckpointPage, "The checkpoints."),
    dependencies=[takes(Action.AUDIT), waits(PageOfProofs)],
)
def list_the_checkpoints(
    request: Request, store: Store, parameters: Annotated[PageOfProofs, Query()]
) -> Answer:
    """The checkpoints that are kept with the log, and who has signed them."""
    page = checkpoint_page(store, parameters.limit, parameters.cursor)
    more = None if page.cursor is None else str(page.cursor)
    return Answer(page, headers=next_link(request, more))


@router.get(
    "/checkpoints/latest",
    responses=answers(CheckpointNote, "The checkpoint.", also=_TEXT),
    dependencies=[takes(Action.AUDIT), waits(ProofParameters)],
)
def show_the_last_checkpoint(
    store: Store, parameters: Annotated[ProofParameters, Query()]
) -> Response:
    """The last checkpoint that was made. Keep it where who runs the store cannot change it."""
    found = checkpoint_note(store)
    return _told(found, found.note, parameters.format)


@router.get(
    "/checkpoints/{size}",
    responses=answers(CheckpointNote, "The checkpoint.", also=_TEXT),
    dependencies=[takes(Action.AUDIT), waits(ProofParameters)],
)
def show_the_checkpoint(
    store: Store, size: Size, parameters: Annotated[ProofParameters, Query()]
) -> Response:
    """One checkpoint, named by how many events it is of."""
    found = checkpoint_note(store, size)
    return _told(found, found.note, parameters.format)


@router.get(
    "/checkpoints/{size}/consistency",
    responses=answers(ConsistencyProof, "The proof.", also=_TEXT),
    dependencies=[takes(Action.AUDIT), waits(ConsistencyParameters)],
)
def prove_consistency(
    store: Store, size: Size, parameters: Annotated[ConsistencyParameters, Query()]
) -> Response:
    """Prove that nothing under an older checkpoint had changed when this one was made."""
    found = consistency_of(store, parameters.since, size)
    return _told(found, found.proof, parameters.format)


@router.get(
    "/verifier-keys",
    responses=answers(VerifierKeys, "The keys."),
    dependencies=[takes(), waits(Parameters)],
)
def show_the_verifier_keys(store: Store, _: Annotated[Parameters, Query()]) -> Answer:
    """The public keys that verify checkpoints and receipts. Compare them by another way, too."""
    return Answer(verifier_keys(store))
