"""How the purchase is made: its mode, our proposals and bids, and how the bids are opened."""

from datetime import timedelta

from api.simulate.beats import buying, contacts, forecast, needs, pursuit
from api.simulate.causes import TOO_EARLY
from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.buying.commands import (
    ChangeVendorStatus,
    DeclarePurchaseMode,
    ObserveBuyingPhase,
    OpenBids,
    ReviewBid,
    SubmitProposal,
)
from domain.buying.facts import (
    PriceForm,
    ProposalKind,
    PurchaseMethod,
    VendorBid,
    VendorStatus,
    Vocabulary,
)
from domain.lifecycle.facts import LostOutcome, PursuitDecision
from domain.negotiation.commands import IssueQuote
from domain.negotiation.facts import QuoteLine
from domain.process import BuyingPhase
from domain.values import OURSELVES, BusinessType, Money, decimal_text

_BEATEN = {LostOutcome.LOST_TO_COMPETITOR, LostOutcome.UNKNOWN}
_NEVER_OPENED = {LostOutcome.VOIDED, LostOutcome.NO_DECISION, LostOutcome.WITHDRAWN}


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """The proposals of this stay, and the opening of the bids."""
    purchase, habits = plot.deal.purchase, plot.owner.habits
    planned: list[Cue] = []
    if chapter.phase in (BuyingPhase.DECISION, BuyingPhase.CRITERIA) and plot.chance(
        0.35 if purchase.proposals else 0.45 + 0.3 * habits.diligence
    ):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.5, 0.9)), propose_roughly))
    blind = chapter.phase is BuyingPhase.ACKNOWLEDGEMENT and plot.flaw(TOO_EARLY) is None
    if blind and plot.chance(0.14 * (1 - habits.discipline)):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.4, 0.9)), propose_blindly))
    if chapter.last and chapter.goes_on and not offered(plot):
        planned.append(Cue(chapter.moment(0.02), have_offered))
    if chapter.phase is BuyingPhase.MEASUREMENT and purchase.tender:
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.05, 0.25)), tender_received))
    if chapter.phase is BuyingPhase.INVESTIGATION:
        if purchase.proposal(ProposalKind.BID) is not None and purchase.bids is None:
            planned.append(Cue(chapter.moment(plot.rng.uniform(0.35, 0.7)), open_bids))
        elif not purchase.tender and purchase.proposal(ProposalKind.FORMAL) and plot.chance(0.35):
            planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.6)), propose))
    return planned


# The mode.


def declare(plot: Plot) -> Entries:
    """Learn how they will buy."""
    tender, public = plot.premise.tender, plot.premise.project.customer.industry.public
    method = plot.rng.choice(_TENDERS_BY_LAW if public else _TENDERS) if tender else _private(plot)
    price_form = None
    if tender:
        price_form = PriceForm.SEALED
    elif plot.chance(0.5):
        price_form = PriceForm.REVERSE_AUCTION if plot.chance(0.1) else PriceForm.ROUNDS
    fears = tender and plot.rivals and plot.health < -0.3 and plot.chance(0.35)
    deadline = None
    if tender and plot.chance(0.7):
        days = sum(s.expected_days for s in plot.selling[plot.position : plot.position + 3])
        ahead = plot.moment + timedelta(days=days * plot.tempo * plot.rng.uniform(0.7, 1.0))
        deadline = plot.hours.from_day(ahead.date())
    yield plot.happened(
        DeclarePurchaseMode(
            method=method,
            price_form=price_form,
            envelopes=plot.rng.choice((1, 2, 2)) if tender else None,
            bound_by_law=public if tender else None,
            deadline=deadline,
            pre_selected=plot.rivals[0] if fears else None,
            told_by=plot.met("buyer") or plot.met("mid"),
        )
    )


_TENDERS_BY_LAW = (
    PurchaseMethod.OPEN_TENDER,
    PurchaseMethod.OPEN_TENDER,
    PurchaseMethod.INVITED_TENDER,
)
_TENDERS = (
    PurchaseMethod.INVITED_TENDER,
    PurchaseMethod.INVITED_TENDER,
    PurchaseMethod.NEGOTIATED_TENDER,
    PurchaseMethod.OPEN_TENDER,
)


def _private(plot: Plot) -> PurchaseMethod:
    if not plot.premise.contested:
        return plot.rng.choice((PurchaseMethod.SINGLE_SOURCE, PurchaseMethod.DIRECT))
    return plot.rng.choice(
        (
            PurchaseMethod.REQUEST_FOR_QUOTATIONS,
            PurchaseMethod.REQUEST_FOR_QUOTATIONS,
            PurchaseMethod.COMPETITIVE_NEGOTIATION,
            PurchaseMethod.DIRECT,
        )
    )


# Proposals.


def propose_roughly(plot: Plot) -> Entries:
    """Hand in a first concept."""
    kind = ProposalKind.SIMPLIFIED if plot.chance(0.25) else ProposalKind.PRELIMINARY
    amount = plot.deal.stages.amount if plot.chance(0.5) else None
    yield plot.happened(SubmitProposal(kind, amount=amount, note=plot.text("proposal.rough")))


def propose_blindly(plot: Plot) -> Entries:
    """Send a full proposal because somebody asked for a price."""
    plot.feels(-0.25)
    amount = plot.deal.stages.amount or plot.premise.amount
    note = plot.text("proposal.blind")
    yield plot.happened(SubmitProposal(ProposalKind.FORMAL, amount=amount, note=note))


def propose(plot: Plot) -> Entries:
    """Hand in the formal proposal, or a better version of it, with a quote."""
    if plot.flaw(TOO_EARLY) is not None:
        yield from needs.make_explicit(plot)
    yield from forecast.price_the_proposal(plot)
    amount = buying.price_of(plot)
    note = plot.text("proposal.formal") if plot.chance(0.7) else None
    yield plot.happened(SubmitProposal(ProposalKind.FORMAL, amount=amount, note=note))
    if plot.chance(0.75):
        yield from quote(plot, amount)


def quote(plot: Plot, total: Money) -> Entries:
    """Name the price line by line."""
    product = plot.premise.project.product
    currency = total.currency
    service = float(total.amount) * plot.rng.choice((0.1, 0.12, 0.15))
    rest = plot.money(float(total.amount) - service, 4)
    support = Money(total.amount - rest.amount, currency)
    percent = plot.rng.choice((0, 3, 5, 8))
    quantity = plot.rng.choice((1, 1, 1, 2, 4))
    each = Money.from_minor(rest.minor // quantity, currency)
    listed = plot.money(float(each.amount) / (1 - percent / 100), 4) if percent else each
    yield plot.happened(
        IssueQuote(
            total=total,
            lines=(
                QuoteLine(
                    product=product.name.en,
                    quantity=decimal_text(str(quantity)),
                    unit_price=each,
                    list_price=listed,
                    discount_percent=decimal_text(str(percent)),
                ),
                QuoteLine(_SUPPORT, "1", support),
            ),
            payment_terms=plot.text("quote.payment") if plot.chance(0.8) else None,
            delivery_terms=plot.text("quote.delivery") if plot.chance(0.6) else None,
            valid_until=plot.hours.from_day((plot.moment + plot.days(40, 95)).date()),
        )
    )


_SUPPORT = "Training and first-year support"


def submit(plot: Plot) -> Entries:
    """The formal proposal; in a tender the bid, decided and reviewed before it goes out."""
    if not plot.deal.purchase.tender:
        yield from propose(plot)
        return
    assessment = plot.deal.life.assessment
    if assessment is None or assessment.fact.decision is not PursuitDecision.GO:
        yield from pursuit.decide_to_bid(plot)
    yield from review_bid(plot)
    yield from forecast.price_the_proposal(plot)
    amount = buying.price_of(plot)
    note = plot.text("proposal.bid") if plot.chance(0.7) else None
    yield plot.happened(SubmitProposal(ProposalKind.BID, amount=amount, note=note))
    yield from step_seen(plot, "bids-in")


def offered(plot: Plot) -> bool:
    """Whether a formal proposal or a bid of ours is on record."""
    kinds = (ProposalKind.FORMAL, ProposalKind.BID)
    return any(plot.deal.purchase.proposal(kind) is not None for kind in kinds)


def have_offered(plot: Plot) -> Entries:
    """See that our proposal or bid is in, or the quote where they renew with us alone."""
    if offered(plot):
        return
    if renews_alone(plot):
        if not plot.deal.negotiations.quotes:
            yield from quote(plot, buying.price_of(plot))
        return
    yield from submit(plot)
    plot.scene(plot.desk + plot.days(1, 3), lag=timedelta(hours=1))


def renews_alone(plot: Plot) -> bool:
    """Whether they buy again from us without asking anybody else."""
    mode = plot.deal.purchase.mode
    alone = mode is not None and mode.fact.method is PurchaseMethod.SINGLE_SOURCE
    return alone and plot.premise.business_type is BusinessType.RENEWAL


def review_bid(plot: Plot) -> Entries:
    """Check the bid; the careless find a gap, and close it in time."""
    if plot.chance(0.35 * (1 - plot.owner.habits.discipline)):
        attachments = plot.chance(0.5)
        note = plot.text("bid.gaps")
        yield plot.happened(ReviewBid(True, attachments, not attachments, note))
        plot.scene(plot.desk + plot.days(1, 3), lag=timedelta(hours=1))
    complete = plot.text("bid.complete") if plot.chance(0.7) else None
    yield plot.happened(ReviewBid(True, True, True, complete))


def fail_review(plot: Plot) -> Entries:
    """The bid goes out with a gap that nobody closed."""
    yield plot.happened(ReviewBid(True, False, True, plot.text("bid.gaps")))


# The opening.


def open_bids(plot: Plot) -> Entries:
    """The bids are opened, and one of them is first."""
    chapter = plot.chapter
    outcome = chapter.outcome if chapter is not None else None
    if outcome in _NEVER_OPENED or plot.deal.purchase.bids is not None:
        return
    beaten = outcome in _BEATEN
    vendors = [OURSELVES, *plot.rivals]
    price = float(buying.price_of(plot).amount)
    scores = {OURSELVES: 86 + plot.rng.gauss(0, 2)}
    for place, rival in enumerate(plot.rivals):
        gap = abs(plot.rng.gauss(3.5, 2)) + 0.4 + 2 * place
        scores[rival] = scores[OURSELVES] + (gap if beaten and place == 0 else -gap)
    ranked = sorted(vendors, key=lambda vendor: -scores[vendor])
    bids = tuple(
        VendorBid(
            vendor=vendor,
            price=buying.price_of(plot)
            if vendor == OURSELVES
            else plot.money(price * plot.rng.uniform(0.86, 1.08), 4),
            rank=ranked.index(vendor) + 1,
            score=decimal_text(f"{min(99.0, scores[vendor]):.1f}"),
        )
        for vendor in vendors
    )
    plot.feels(-0.2 if beaten else 0.0)
    yield plot.happened(OpenBids(bids))
    yield from step_seen(plot, "bids-opened")


def step_seen(plot: Plot, step: str) -> Entries:
    """Tell a step of the tender in the customer's own words, where the process lists it."""
    if plot.process.purchase_step(step) is not None and plot.chance(0.6):
        vocabulary = Vocabulary.PURCHASE_STEPS
        yield plot.happened(ObserveBuyingPhase(step, vocabulary))


def tender_received(plot: Plot) -> Entries:
    """The documents are there."""
    yield from step_seen(plot, "tender-received")


def choose_us(plot: Plot) -> Entries:
    """Whoever may say so says that we are their first choice."""
    yield from have_offered(plot)
    purchase = plot.deal.purchase
    if purchase.proposal(ProposalKind.BID) is not None and purchase.bids is None:
        yield from open_bids(plot)
        return
    key = "dm" if plot.met("dm") and plot.chance(0.5) else "buyer"
    if plot.met(key) is None:
        yield from contacts.seeing(key, "attest.first-choice-confirmed")(plot)
    reason = plot.text("choice.us") if plot.chance(0.8) else None
    yield plot.happened(
        ChangeVendorStatus(OURSELVES, VendorStatus.FIRST_CHOICE, plot.met(key), reason)
    )
