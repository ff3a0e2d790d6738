"""What loss analysis has to know of one decided deal."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from domain.competition.facts import CompetitorKind
from domain.deal import Deal, DealEvent
from domain.lifecycle import Status
from domain.lifecycle.facts import LostOutcome, OpportunityLost, ReasonDriver, Teller
from domain.naming import Naming
from domain.process import ProcessBook
from domain.values import Money
from projections.findings.case import runs
from projections.findings.lift import (
    Reached,
    furthest,
)
from projections.frames import frames_of
from projections.instants import days_between

UNKNOWN = "unknown"
"""How something is called that nobody put on record."""
NOBODY_ELSE = "none"
"""In place of a competitor, where a deal was not lost to one."""

WON = "won"


class Told(msgspec.Struct, frozen=True):
    """A reason of an outcome, by whose account it is."""

    by: Teller
    driver: ReasonDriver


class LossRow(msgspec.Struct, frozen=True):
    """What loss analysis has to know of a decided deal, at its outcome. None: not on record."""

    deal_id: str
    outcome: str
    """`won`, or one of the values of `LostOutcome`."""
    opened_at: datetime
    decided_at: datetime
    reached: Reached
    """The furthest stage of its process before the outcome."""
    stage: str
    """The one in which it ended."""
    amount: Money | None
    """The contract value once won, else the amount forecast."""
    competitor: str | None
    """Who won it, by name; `unknown` where nobody knows. None: no competitor did."""
    competitors: tuple[str, ...]
    """The vendors recorded on the deal before the outcome, by name."""
    purchase_mode: str | None
    industry: str | None
    region: str | None
    business_type: str | None
    size: str | None
    """Of the account, in the classes that the organisation uses."""
    reasons: tuple[Told, ...]
    """The latest of each teller since the deal was last taken up again."""
    to_vendor: bool = True
    """Whether the competitor who won it, if any, is a vendor, and not the customer's own people."""

    @property
    def age(self) -> int:
        """Days from the opening to the outcome."""
        return days_between(self.opened_at, self.decided_at)

    @property
    def lost(self) -> bool:
        return self.outcome not in (WON, LostOutcome.VOIDED)

    @property
    def reason(self) -> ReasonDriver | None:
        """Why, by the account nearest to who decided; None: nobody said."""
        told = (self.reason_by(teller) for teller in (Teller.BUYER, Teller.MANAGER, Teller.SELLER))
        return next((driver for driver in told if driver is not None), None)

    def reason_by(self, teller: Teller) -> ReasonDriver | None:
        return next((one.driver for one in self.reasons if one.by is teller), None)


def row_of(
    deal_id: str,
    events: Iterable[DealEvent],
    processes: ProcessBook,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> LossRow | None:
    """The row of a deal that was decided at (as of, known at); None: it runs, or was merged."""
    frames = frames_of(events, as_of, known_at)
    now = frames[-1].after if frames else Deal()
    if now.life.status not in (Status.WON, Status.LOST, Status.VOIDED):
        return None
    last = max(i for i, one in enumerate(frames) if runs(one.before) and not runs(one.after))
    before, after = frames[last].before, frames[last].after
    account, mode, process = now.life.account, before.purchase.mode, before.life.process
    assert after.life.opened_at is not None
    assert process is not None
    return LossRow(
        deal_id=deal_id,
        outcome=now.life.outcome_name or UNKNOWN,
        opened_at=after.life.opened_at,
        decided_at=frames[last].at,
        reached=furthest(before, processes),
        stage=before.stages.stage or "",
        amount=now.amount,
        competitor=_lost_to(now),
        competitors=_vendors(before),
        purchase_mode=mode.fact.method.value if mode else None,
        industry=account.industry if account else None,
        region=now.life.region,
        business_type=now.life.business_type.value if now.life.business_type else None,
        size=account.size if account else None,
        reasons=_reasons(now),
        to_vendor=_is_to_vendor(now),
    )


def _vendors(deal: Deal) -> tuple[str, ...]:
    """The names of the recorded competitors that are vendors."""
    found = (one.fact for one in deal.field.competitors)
    return tuple(sorted({one.name for one in found if one.kind is CompetitorKind.VENDOR}))


def _is_to_vendor(deal: Deal) -> bool:
    """Whether a vendor won it, as far as anybody recorded of what kind the competitor is."""
    outcome = deal.life.outcome
    if outcome is None or not isinstance(outcome.fact, OpportunityLost):
        return True
    kinds = {one.fact.id: one.fact.kind for one in deal.field.competitors}
    return kinds.get(outcome.fact.competitor or "", CompetitorKind.VENDOR) is CompetitorKind.VENDOR


def _lost_to(deal: Deal) -> str | None:
    outcome = deal.life.outcome
    if outcome is None or not isinstance(outcome.fact, OpportunityLost):
        return None
    if outcome.fact.outcome is not LostOutcome.LOST_TO_COMPETITOR:
        return None
    return Naming.on(deal).vendor(outcome.fact.competitor or UNKNOWN)


def _reasons(deal: Deal) -> tuple[Told, ...]:
    latest = {one.fact.told_by: one.fact.driver for one in deal.life.outcome_reasons}
    return tuple(Told(teller, driver) for teller, driver in sorted(latest.items()))
