"""What was negotiated on a deal."""

from api.queries.deals import deal_then
from api.queries.instants import Instants
from api.queries.views import View
from api.wire.negotiation import DealNegotiations
from domain.access import Sensitivity


def negotiations_of(view: View, at: Instants) -> DealNegotiations:
    """The ledger of each negotiation of a deal at (as of, known at).

    Raises DealNotFound, NothingThen.
    """
    then = deal_then(view, at)
    return DealNegotiations.of(
        then.deal,
        then.state,
        view.store.log.organisation(),
        then.names,
        secrets_shown=Sensitivity.SECRET in view.visible,
        as_of=then.as_of,
        known_at=then.known_at,
    )
