"""A method for each route. Written by tests/api/client/generation.py."""

from api.client.routes.accounts import AccountsRoutes
from api.client.routes.audit import AuditRoutes
from api.client.routes.deals import DealsRoutes
from api.client.routes.erasures import ErasuresRoutes
from api.client.routes.findings import FindingsRoutes
from api.client.routes.forecast import ForecastRoutes
from api.client.routes.operation import OperationRoutes
from api.client.routes.organisation import OrganisationRoutes
from api.client.routes.pipeline import PipelineRoutes
from api.client.routes.processes import ProcessesRoutes
from api.client.routes.proofs import ProofsRoutes
from api.client.routes.rates import RatesRoutes
from api.client.routes.reassignments import ReassignmentsRoutes
from api.client.routes.reviews import ReviewsRoutes
from api.client.routes.store import StoreRoutes
from api.client.routes.targets import TargetsRoutes
from api.client.routes.webhooks import WebhooksRoutes


class EveryRoute(
    AccountsRoutes,
    AuditRoutes,
    DealsRoutes,
    ErasuresRoutes,
    FindingsRoutes,
    ForecastRoutes,
    OperationRoutes,
    OrganisationRoutes,
    PipelineRoutes,
    ProcessesRoutes,
    ProofsRoutes,
    RatesRoutes,
    ReassignmentsRoutes,
    ReviewsRoutes,
    StoreRoutes,
    TargetsRoutes,
    WebhooksRoutes,
):
    """A method for each route that is no command on a deal or beside the deals."""
