"""Loss analysis over many deals: why, where, when and to whom they were lost."""

import msgspec

from api.wire.values import Amount, Instant
from domain.lifecycle.facts import ReasonDriver
from projections import losses as projected
from projections.findings import lift as reckoned
from projections.findings.sentences import rule_words
from projections.losses import Dimension


class Sum(msgspec.Struct, frozen=True):
    """So many deals, and what they come to, by currency."""

    deals: int
    amounts: list[Amount]
    unknown_amounts: int
    """Deals whose amount nobody put on record."""

    @classmethod
    def of(cls, found: projected.Sum) -> "Sum":
        amounts = [Amount.exact(amount, currency) for currency, amount in found.amounts.items()]
        return cls(found.deals, amounts, found.unknown_amounts)


class LossGroup(msgspec.Struct, frozen=True):
    """The losses that are alike in what was asked by."""

    values: list[str]
    """In the order of the dimensions; `unknown` where a deal has none on record."""
    lost: Sum


class Grave(msgspec.Struct, frozen=True):
    """A stage in which deals were lost, and how old they were."""

    process: str
    stage: str
    lost: Sum
    median_age_days: float
    deals_by_age: list[int]
    """Up to each limit of `age_limits_days`, then those beyond."""


class AccountPair(msgspec.Struct, frozen=True):
    """What the seller and what the buyer said of the same losses."""

    seller: ReasonDriver
    buyer: ReasonDriver
    deals: int


class Accounts(msgspec.Struct, frozen=True):
    """How far seller and buyer give the same reason for a loss."""

    pairs: list[AccountPair]
    both: int
    agreed: int
    only_seller: int
    only_buyer: int
    neither: int

    @classmethod
    def of(cls, found: projected.Accounts) -> "Accounts":
        return cls(
            [AccountPair(*cell) for cell in found.cells],
            found.both,
            found.agreed,
            found.only_seller,
            found.only_buyer,
            found.neither,
        )


class HeadToHead(msgspec.Struct, frozen=True, kw_only=True):
    """How we fare against one vendor."""

    competitor: str
    won: Sum
    lost_to_them: Sum
    lost_to_others: Sum
    """To another competitor, or nobody knows to whom."""
    lost_otherwise: Sum
    """No decision, withdrawn, disqualified or unknown."""
    unseen: int
    """Of those lost to them: deals on which they had never been recorded."""
    win_rate: float | None
    """Won ÷ (won + lost to them); null: they are fewer than five."""

    @classmethod
    def of(cls, found: projected.HeadToHead) -> "HeadToHead":
        rate = found.win_rate
        return cls(
            competitor=found.competitor,
            won=Sum.of(found.won),
            lost_to_them=Sum.of(found.lost_to_them),
            lost_to_others=Sum.of(found.lost_to_others),
            lost_otherwise=Sum.of(found.lost_otherwise),
            unseen=found.unseen,
            win_rate=None if rate is None else round(rate, 4),
        )


class Lift(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule has to do with losing: deals in which it fired 30 days before the outcome."""

    rule: str
    fires_when: str
    lost_fired: int
    lost: int
    """Here and in `won`: of deals whose furthest stage holds lost and won ones."""
    won_fired: int
    won: int
    not_assessable: int
    """Deals in which the rule could not tell; they are not among the others."""
    lift: float | None
    """Ratio of the odds of losing, with the finding to without, pooled over the furthest stage
    reached; null: too few."""
    low: float | None
    """Of its 95 % interval."""
    high: float | None

    @classmethod
    def of(cls, found: reckoned.Lift) -> "Lift":
        return cls(
            rule=found.rule,
            fires_when=rule_words(found.rule).fires_when.en,
            lost_fired=found.lost_fired,
            lost=found.lost,
            won_fired=found.won_fired,
            won=found.won,
            not_assessable=found.not_assessable,
            lift=_rounded(found.lift),
            low=_rounded(found.low),
            high=_rounded(found.high),
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


class LossAnalysis(msgspec.Struct, frozen=True, kw_only=True):
    """The decided deals at (as of, known at) that match, and that the caller may read."""

    as_of: Instant
    known_at: Instant
    won: Sum
    lost: Sum
    to_competitors: Sum
    no_decision: Sum
    """Apart from what competitors won."""
    other_losses: Sum
    """Withdrawn, disqualified and unknown; the three add up to the lost."""
    voided: Sum
    """Not among the lost."""
    by: list[Dimension]
    groups: list[LossGroup]
    """The largest first."""
    age_limits_days: list[int]
    graves: list[Grave]
    accounts: Accounts
    competitors: list[HeadToHead]
    """Vendors; not the customer's own people, nor leaving it as it is."""
    findings: list[Lift]
    """First the rule that surely has the most to do with losing."""
    decided_too_soon: int
    """Deals decided within 30 days of their opening, which have no lift."""
    comparable: int
    """Of the deals won or lost: those with a lift. In the furthest stage of the rest, deals were
    only lost, or only won."""
    caveats: list[str]

    @classmethod
    def of(
        cls,
        found: projected.LossAnalysis,
        *,
        as_of: str,
        known_at: str,
        caveats: list[str],
    ) -> "LossAnalysis":
        return cls(
            as_of=as_of,
            known_at=known_at,
            won=Sum.of(found.won),
            lost=Sum.of(found.lost),
            to_competitors=Sum.of(found.to_competitors),
            no_decision=Sum.of(found.no_decision),
            other_losses=Sum.of(found.other_losses),
            voided=Sum.of(found.voided),
            by=list(found.by),
            groups=[LossGroup(list(one.values), Sum.of(one.lost)) for one in found.groups],
            age_limits_days=list(projected.AGES),
            graves=[
                Grave(
                    one.process, one.stage, Sum.of(one.lost), float(one.median_age), list(one.ages)
                )
                for one in found.graves
            ],
            accounts=Accounts.of(found.accounts),
            competitors=[HeadToHead.of(one) for one in found.competitors],
            findings=[Lift.of(one) for one in found.findings.rules],
            decided_too_soon=found.findings.too_short,
            comparable=found.comparable,
            caveats=caveats,
        )
