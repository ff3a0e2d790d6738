"""The cohort estimate over a store: its models, and how good they were."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from api.wire.estimates import EstimateQuality
from api.workspace import Workspace
from projections.cohort.cache import Cache
from projections.cohort.model import LEAST, Cohort
from projections.cohort.models import CohortModels
from projections.cohort.portfolio import Histories, Portfolio, dated_as_occurred
from projections.cohort.quality import Quality, Verdict, quality
from projections.cohort.stored import StoredPortfolio, all_deals, undated_events
from store.errors import StoreUnavailable
from store.times import written

if TYPE_CHECKING:
    from sqlalchemy import Connection

_log = logging.getLogger("dealstate.estimates")


@contextmanager
def cohort_models(
    store: Workspace, connection: "Connection", *, least: int = LEAST
) -> Iterator[CohortModels]:
    """The models of a store as a connection sees it; what is trained is kept beside the store.

    Where it cannot be kept, that is logged, and the answer stands.
    """
    portfolio = StoredPortfolio(connection, store.tail)
    models = CohortModels(portfolio, store.zone, Cache(store.location.views), least=least)
    try:
        yield models
    finally:
        try:
            models.close()
        except StoreUnavailable as error:
            _log.warning("%s", error)


def ask_estimates(
    store: Workspace,
    progress: Callable[[int, int], None],
    *,
    as_occurred: bool = False,
    least: int = LEAST,
) -> EstimateQuality:
    """How good the estimates were on the deals decided by now.

    `as_occurred`: what an import did not date counts as known when it occurred; such models are
    not kept. A store that makes no models for questions answers by those that are kept. Raises
    AnalysisMissing, StoreError.
    """
    now = store.now()
    unmade: set[datetime] = set()
    with store.fresh() as connection:
        undated = undated_events(connection)
        if as_occurred and undated:
            models = CohortModels(_as_occurred(store, connection), store.zone, least=least)
            found = quality(models, now, progress)
        else:
            with cohort_models(store, connection, least=least) as models:
                kept = None if store.makes_models else _kept(models, unmade)
                found = quality(models, now, progress, kept)
    caveats = _caveats(undated, as_occurred=as_occurred)
    if unmade:
        months = "of one month" if len(unmade) == 1 else f"of {len(unmade):,} months"
        caveats.append(f"the models {months} are not made yet: the worker makes them")
    return EstimateQuality.of(found, written(now), _verdict(found, least), caveats)


def _kept(models: CohortModels, unmade: set[datetime]) -> Callable[[datetime], Cohort | None]:
    """What gives the cohort of a moment as far as it is kept; which are not goes into `unmade`."""

    def at(moment: datetime) -> Cohort | None:
        found = models.kept(moment)
        if found is None:
            unmade.add(models.boundary(moment))
        return found

    return at


def _as_occurred(store: Workspace, connection: "Connection") -> Portfolio:
    stored = StoredPortfolio(connection, store.tail)
    histories = stored.histories(all_deals(connection))
    dated = {deal_id: dated_as_occurred(events) for deal_id, events in histories}
    return Histories(dated, stored.processes)


def _caveats(undated: int, *, as_occurred: bool) -> list[str]:
    if not undated:
        return []
    whose = f"{undated:,} events of imports do not say when they were known"
    if as_occurred:
        return [f"{whose}: they count as known when they occurred, which may be too early"]
    said = "they count as known from the import on, so models of earlier months do not see them"
    return [f"{whose}: {said}; --as-occurred counts them as known when they occurred"]


def _verdict(found: Quality, least: int) -> str:
    """What the figures say, in one sentence."""
    against = next((one for one in found.differences if one.against == "base-rate"), None)
    if against is None or found.overall is None:
        return (
            f"Nothing can be said: no deal was judged, since no model of {least:,} decided deals"
            " was there before their end."
        )
    deals = f"{against.deals:,} {'deal' if against.deals == 1 else 'deals'} decided later"
    interval = f"({against.mean:+.3f}, 95 % interval {against.low:+.3f} to {against.high:+.3f})"
    match found.verdict:
        case Verdict.BETTER:
            return f"On {deals} the cohort estimate is better than the base rate {interval}."
        case Verdict.NO_BETTER:
            return (
                f"On {deals} the cohort estimate is no better than the base rate {interval}:"
                " what these deals put on record does not tell who wins."
            )
        case Verdict.WORSE:
            return f"On {deals} the cohort estimate is worse than the base rate {interval}."
        case Verdict.TOO_FEW:
            return f"Nothing can be said: only {deals} could be judged."
