"""The rules over all running deals: what they warn of at a moment."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

import msgspec

from api.queries.instants import Instants, NothingThen
from api.queries.listing import with_user_ids
from api.queries.parked import left_out_of_pipeline
from api.queries.replays import played
from api.queries.users import names_of
from api.queries.views import open_view, readable_by
from api.wire.findings import Finding
from api.wire.warnings import RuleCount, Warned, Warnings
from api.workspace import Workspace
from domain.access import Action, Principal
from domain.lifecycle import Status
from domain.refusals import NotAllowed
from projections import findings as projected
from projections.findings import Weight
from projections.findings.book import BOOK
from projections.pipeline import deals_in
from store.times import written

RUNNING = (Status.OPEN, Status.SUSPENDED)
WEIGHTS = tuple(Weight)


class WarningsQuery(msgspec.Struct, frozen=True):
    """Which warnings, on which deals."""

    where: Mapping[str, str] = {}
    """Dimensions of the pipeline, and their values."""
    rules: Collection[str] = ()
    """None named: all."""
    least: Weight = Weight.NOTE
    """No lighter ones."""
    limit: int = 50
    """At most so many deals."""


def warnings_at(
    store: Workspace,
    principal: Principal,
    at: Instants,
    query: WarningsQuery,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Warnings:
    """The warnings at (as of, known at) on the deals that the principal may read.

    Raises ValueError for an unknown dimension or rule, NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    require_rules(query.rules)
    now = store.now()
    as_of, known_at = at.as_of or now, at.known_at or now
    with store.fresh() as connection:
        where = with_user_ids(query.where, names_of(store), "owner")
        running = deals_in(connection, as_of, known_at, RUNNING, where, readable=readable)
        caveats = left_out_of_pipeline(store, connection, readable)
    warned: list[Warned] = []
    counts: dict[str, Counter[str]] = {"warned": Counter(), "not_assessable": Counter()}
    left = 0
    for number, deal_id in enumerate(running, start=1):
        try:
            view = open_view(store, principal, Action.READ, deal_id)
            game = played(view, Instants(as_of, at.known_at))
        except (NotAllowed, NothingThen):
            left += 1
            continue
        counts["not_assessable"].update(game.assessment.not_assessable.keys())
        found = _held(game.assessment, as_of, query)
        counts["warned"].update({finding.rule for finding in found})
        if found:
            warned.append(Warned(game.then.deal, [Finding.of(finding) for finding in found]))
        progress(number, len(running))
    return Warnings(
        as_of=written(as_of),
        known_at=written(known_at),
        deals_judged=len(running) - left,
        deals=sorted(warned, key=_weight, reverse=True)[: query.limit],
        rules=_counted(query, counts),
        caveats=caveats,
    )


def require_rules(rules: Collection[str]) -> None:
    """Raise ValueError for a rule that is not in the book."""
    known = {rule.id for rule in BOOK}
    for rule in rules:
        if rule not in known:
            raise ValueError(f"there is no rule {rule!r}; use {', '.join(sorted(known))}")


def _held(
    assessment: projected.Assessment, at: datetime, query: WarningsQuery
) -> list[projected.Finding]:
    found = [
        finding
        for finding in assessment.findings
        if finding.holds_at(at)
        and (not query.rules or finding.rule in query.rules)
        and WEIGHTS.index(finding.weight) >= WEIGHTS.index(query.least)
    ]
    return sorted(found, key=lambda one: (WEIGHTS.index(one.weight), one.since), reverse=True)


def _weight(warned: Warned) -> tuple[int, ...]:
    """How many blunders, mistakes and notes."""
    counted = Counter(finding.weight for finding in warned.findings)
    return tuple(counted[weight] for weight in reversed(WEIGHTS))


def _counted(query: WarningsQuery, counts: Mapping[str, Counter[str]]) -> list[RuleCount]:
    rules = [rule.id for rule in BOOK if not query.rules or rule.id in query.rules]
    return [
        RuleCount(rule, counts["warned"][rule], counts["not_assessable"][rule]) for rule in rules
    ]
