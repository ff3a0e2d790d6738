"""The HTTP service, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta

from fastapi import FastAPI

from api.around.deadline import Deadline
from api.around.delivery import Compression, Heads
from api.around.door import Door
from api.around.guard import Guard, Limit
from api.around.limits import AtOnce, Buckets, Rates
from api.around.noting import Noted
from api.auth.callers import Authenticate, Callers
from api.auth.oidc import Issuer
from api.auth.sessions import Sessions
from api.feed.service import FeedLimits, FeedService
from api.openapi import describe
from api.operation.observing import Observing
from api.operation.operating import Operation
from api.queries.stores import release
from api.routes import (
    accesses,
    accounts,
    administration,
    audit,
    calibrations,
    commands,
    coverage,
    deals,
    documentation,
    erasures,
    estimates,
    events,
    figures,
    flows,
    forecasts,
    health,
    imports,
    losses,
    organisation,
    pipeline,
    processes,
    proofs,
    rates,
    reassignments,
    sessions,
    stores,
    targets,
    warnings,
    waterfalls,
    webhooks,
    whatif,
)
from api.routes.answering import SELECTS
from api.routes.failures import handle_failures
from api.settings import Settings
from api.times import parse_zone
from api.webhooks.addresses import Reach
from api.webhooks.deliverer import deliverer_of
from api.webhooks.sending import Sender
from api.webhooks.trials import Trials
from api.workspace import Workspace
from projections.engine.working import Worker
from projections.findings.settings import DEFAULTS, read_settings
from store.location import Location

GROUPS = (
    deals,
    commands,
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
    estimates,
    accounts,
    audit,
    accesses,
    processes,
    proofs,
    rates,
    targets,
    organisation,
    administration,
    imports,
    reassignments,
    erasures,
    stores,
    sessions,
    health,
    events,
    webhooks,
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
    operation = Operation(settings)
    sender = Sender(Reach.of(settings.webhook_networks))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with (
            Workspace.open(location, zone) as store,
            _worker(store) if settings.worker else nullcontext() as worker,
            deliverer_of(store, sender) if settings.worker else nullcontext() as deliverer,
        ):
            store.thresholds = thresholds
            store.fiscal_year_from = settings.fiscal_year_from
            store.makes_models = False
            app.state.store, app.state.worker = store, worker
            app.state.deliverer, app.state.sender = deliverer, sender
            app.state.authenticate = authenticate or Callers(store, issuer)
            # Whoever else tells who asks has sessions of their own.
            own = _sessions(store, settings, issuer) if authenticate is None else None
            app.state.sessions = own
            limits = FeedLimits(
                settings.streams_per_caller,
                settings.most_streams,
                settings.stream_seconds,
                settings.stream_keep_alive_seconds,
            )
            feed = FeedService.open(store, limits, lambda: operation.ending.begun)
            with operation.watching(store), feed as app.state.feed:
                yield

    app = FastAPI(
        title="dealstate",
        version=release(),
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.worker = app.state.deliverer = None
    app.state.trials = Trials()
    app.state.operation, app.state.also_open = operation, operation.also_open
    for group in GROUPS:
        app.include_router(group.router, dependencies=[SELECTS])
    _surround(app, settings, operation)
    handle_failures(app)
    describe(app)
    return app


def _surround(app: FastAPI, settings: Settings, operation: Operation) -> None:
    """What stands around the routes. Whoever is added last is asked first."""
    app.add_middleware(Limit)
    app.add_middleware(Noted)
    rate, burst = settings.rate_per_second, settings.rate_burst
    app.add_middleware(Rates, buckets=Buckets(rate, burst) if rate else None)
    app.add_middleware(Door)
    app.add_middleware(AtOnce, most=settings.requests_at_once)
    app.add_middleware(Compression)
    app.add_middleware(Deadline, seconds=settings.timeout_seconds)
    app.add_middleware(Heads)
    app.add_middleware(Guard, names=settings.allowed_hosts)
    app.add_middleware(Observing, operation=operation)


def _sessions(store: Workspace, settings: Settings, issuer: Issuer | None) -> Sessions:
    lasting = timedelta(hours=settings.session_hours)
    return Sessions(store.log, store.now, lasting, has_provider=issuer is not None)


def _worker(store: Workspace) -> Worker:
    upkeep = [store.maintain_columns, store.maintain_models]
    return Worker(store.views, store.tail, maintain=upkeep)
