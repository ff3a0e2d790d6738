"""The HTTP service, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from fastapi import FastAPI

from api.auth.callers import Authenticate, Callers
from api.auth.oidc import Issuer
from api.openapi import describe
from api.queries.stores import release
from api.routes import (
    accounts,
    audit,
    calibrations,
    coverage,
    deals,
    documentation,
    figures,
    flows,
    forecasts,
    losses,
    pipeline,
    processes,
    rates,
    stores,
    targets,
    warnings,
    waterfalls,
    whatif,
)
from api.routes.door import Door
from api.routes.failures import handle_failures
from api.routes.guard import Guard, Limit
from api.settings import Settings
from api.times import parse_zone
from api.workspace import Workspace
from projections.engine.working import Worker
from projections.findings.settings import DEFAULTS, read_settings
from store.location import Location

GROUPS = (
    deals,
    whatif,
    pipeline,
    figures,
    coverage,
    waterfalls,
    flows,
    forecasts,
    calibrations,
    warnings,
    losses,
    accounts,
    audit,
    processes,
    rates,
    targets,
    stores,
    documentation,
)
"""The groups of routes, in the order of the documentation."""

DESCRIPTION = """\
Queries on the state of sales deals: as of any date, and move by move.

Every answer is JSON with snake_case keys. Times are UTC with six digits; a bare date in a
parameter means the end of that day in the store's time zone. Amounts are decimal numbers as
text, beside their currency. Errors are problem details (RFC 9457) with a stable code.

Whoever asks sends a key or a token: `Authorization: Bearer …`. What they see and may do follows
from their roles as they are at that moment.
"""


def create_app(settings: Settings, authenticate: Authenticate | None = None) -> FastAPI:
    """The service for one store, which is opened when the service starts.

    Who asks is known by API keys, and by tokens where the settings name an identity provider; or
    by `authenticate`, for who puts the service behind something that knows. Its `state.worker`
    keeps the read models up, where the settings want it. Once the service has ended it may still
    be at work: see `Worker.has_ended`.

    Raises StoreError then when there is none; at once TimeError for an unknown time zone, and
    SettingsError for thresholds that cannot be used.
    """
    zone = parse_zone(settings.timezone)
    thresholds = read_settings(settings.thresholds) if settings.thresholds else DEFAULTS
    location = Location.parse(settings.db, settings.kek)
    provider = settings.identity_provider
    issuer = Issuer(provider) if provider else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with (
            Workspace.open(location, zone) as store,
            _worker(store) if settings.worker else nullcontext() as worker,
        ):
            store.thresholds = thresholds
            store.fiscal_year_from = settings.fiscal_year_from
            store.makes_models = False
            app.state.store, app.state.worker = store, worker
            app.state.authenticate = authenticate or Callers(store, issuer)
            yield

    app = FastAPI(
        title="dealstate",
        version=release(),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.worker = None
    for group in GROUPS:
        app.include_router(group.router)
    # Whoever is added last is asked first.
    app.add_middleware(Limit)
    app.add_middleware(Door)
    app.add_middleware(Guard, names=settings.allowed_hosts)
    handle_failures(app)
    describe(app)
    return app


def _worker(store: Workspace) -> Worker:
    upkeep = [store.maintain_columns, store.maintain_models]
    return Worker(store.views, store.tail, maintain=upkeep)
