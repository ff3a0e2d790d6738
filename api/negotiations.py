"""What was negotiated on a deal, for whoever asks: secrets only to those who may see them."""

from api.queries import Instants, deal_then, names_of
from api.wire.audience import Audience
from api.wire.negotiation import DealNegotiations
from api.workspace import Workspace
from domain.access import Sensitivity


def negotiations_of(
    store: Workspace, deal_id: str, at: Instants, visible: frozenset[Sensitivity]
) -> DealNegotiations:
    """The ledger of each negotiation of a deal at (as of, known at), with what is `visible`.

    Raises DealNotFound, NothingThen.
    """
    deal, frame = deal_then(store, deal_id, at)
    with store.fresh() as connection:
        names = names_of(connection)
    now = store.now()
    return DealNegotiations.of(
        deal,
        frame.after,
        store.log.organisation(),
        Audience(names, visible),
        as_of=at.as_of or now,
        known_at=at.known_at or now,
    )
