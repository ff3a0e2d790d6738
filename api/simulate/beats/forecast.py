"""The forecast: amounts, close dates that slip or are pulled in, overrides of probability."""

from datetime import date, datetime, timedelta

from api.simulate.cast import User
from api.simulate.material import phrases
from api.simulate.plot import Chapter, Cue, Entries, Plot
from api.simulate.workdays import month_end, quarter_end
from domain.lifecycle.life import Status
from domain.process import BuyingPhase
from domain.stages.commands import ReviseForecast
from domain.stages.facts import RevisionCause
from domain.values import ForecastCategory, Money

_LATE = (BuyingPhase.MEASUREMENT, BuyingPhase.INVESTIGATION, BuyingPhase.SELECTION)
_DECIDING = (BuyingPhase.INVESTIGATION, BuyingPhase.SELECTION)
_EARLY = (BuyingPhase.SATISFACTION, BuyingPhase.ACKNOWLEDGEMENT, BuyingPhase.DECISION)
_CAUSE_WEIGHTS = {
    RevisionCause.CUSTOMER: 42,
    RevisionCause.US: 20,
    RevisionCause.TENDER: 22,
    RevisionCause.UNKNOWN: 26,
    RevisionCause.CORRECTION: 3,
}


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """How the amount changes in this stay, and the category."""
    planned: list[Cue] = []
    if chapter.phase is BuyingPhase.MEASUREMENT and chapter.goes_on:
        planned.append(Cue(chapter.moment(0.85), price_the_proposal))
    elif not chapter.last and plot.chance(0.25):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.95)), change_amount))
    if chapter.phase in _LATE and plot.chance(0.22):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.3, 0.9)), set_category))
    return planned


def reviews_due(plot: Plot, at: datetime) -> list[date]:
    """The days up to `at` on which the pipeline is reviewed, at the start of each month.

    A deal that rests or has ended is passed over.
    """
    days: list[date] = []
    last = plot.hours.day(at)
    while (day := plot.hours.from_day(month_end(plot.reviewed_on) + timedelta(days=1))) <= last:
        plot.reviewed_on = day
        if plot.deal.life.status is Status.OPEN:
            days.append(day)
    return days


# Close dates.


def days_left(plot: Plot) -> float:
    """Days until the signature if all goes well, as nobody in the story can know them."""
    rest = sum(stage.expected_days for stage in plot.selling[plot.position + 1 :]) * plot.tempo
    chapter = plot.chapter
    here = plot.stage.expected_days * plot.tempo
    if chapter is not None and chapter.goes_on:
        here = max(0.0, (chapter.end - plot.moment) / timedelta(days=1))
    return here + rest


def believed_close(plot: Plot) -> date:
    """When the owner believes they will sign: sooner than it will be, for the hopeful."""
    hope = 1.10 - 0.6 * plot.owner.habits.optimism
    days = max(12.0, days_left(plot) * hope * plot.rng.lognormvariate(0.05, 0.22))
    natural = plot.today + timedelta(days=round(days))
    drawn = plot.rng.random()
    if drawn < 0.45:
        natural = quarter_end(natural)
    elif drawn < 0.85:
        natural = month_end(natural)
    return plot.hours.until_day(natural)


def set_first(plot: Plot) -> Entries:
    """Give a first amount and close date, whichever is not there yet."""
    stages = plot.deal.stages
    if stages.amount is None:
        guess = float(plot.premise.amount.amount) * plot.rng.lognormvariate(0.0, 0.25)
        yield plot.typed(
            ReviseForecast(
                amount=plot.money(guess),
                told_by=_teller(plot) if plot.chance(0.5) else None,
                reason=plot.text("forecast.first") if plot.chance(0.7) else None,
            )
        )
    if stages.expected_close is None:
        yield plot.typed(
            ReviseForecast(
                expected_close=believed_close(plot),
                reason=plot.text("forecast.first-date") if plot.chance(0.5) else None,
            )
        )


def review(plot: Plot) -> Entries:
    """Look at the forecast once a month: can the date be kept, and how sure are we."""
    expected = plot.deal.stages.expected_close
    habits = plot.owner.habits
    if expected is None:
        if plot.chance(0.3 + 0.4 * habits.diligence):
            yield from set_first(plot)
        return
    left = days_left(plot)
    days = (expected - plot.today).days
    if days < 0 or (days < 0.7 * left and plot.chance(0.25 + 0.5 * habits.discipline)):
        if plot.chance(0.55 + 0.45 * habits.diligence):
            yield from push(plot)
    elif days > 1.35 * left + 15 and plot.stage.decision_phase in _LATE and plot.chance(0.8):
        yield from pull_in(plot)
    yield from _review_probability(plot)


def push(plot: Plot, cause: RevisionCause | None = None) -> Entries:
    """Move the close date out. The hopeful move it by a month, again and again."""
    expected = plot.deal.stages.expected_close
    if expected is None:
        return
    cause = cause or _slip_cause(plot)
    base = max(expected, plot.today)
    if plot.chance(0.15 + 0.75 * plot.owner.habits.optimism):
        new = plot.hours.until_day(month_end(base + timedelta(days=plot.rng.randint(8, 30))))
    else:
        new = max(believed_close(plot), base + timedelta(days=10))
    ours = cause in (RevisionCause.US, RevisionCause.UNKNOWN)
    plot.pushes += 1
    plot.feels((-0.35 if ours else -0.12) - (0.4 if plot.pushes > 1 else 0.0))
    told_by = _teller(plot) if cause is RevisionCause.CUSTOMER and plot.chance(0.7) else None
    silent = cause is RevisionCause.UNKNOWN and plot.chance(0.45)
    key = f"slip.{cause.value}"
    if plot.stage.decision_phase in _EARLY and f"{key}.early" in phrases().remarks:
        key += ".early"
    elif expected < plot.today and cause is RevisionCause.UNKNOWN:
        key += ".overdue"
    command = ReviseForecast(
        expected_close=plot.hours.from_day(new),
        told_by=told_by,
        cause=cause,
        reason=None if silent else plot.text(key),
    )
    if cause is RevisionCause.CUSTOMER and plot.chance(0.08):
        yield plot.known_later(command, plot.days(5, 20))
    else:
        yield plot.typed(command)


def _slip_cause(plot: Plot) -> RevisionCause:
    weights = dict(_CAUSE_WEIGHTS)
    if not plot.premise.tender:
        del weights[RevisionCause.TENDER]
    if plot.health < -0.3:
        weights[RevisionCause.UNKNOWN] += 25
        weights[RevisionCause.US] += 10
    return plot.rng.choices(list(weights), list(weights.values()))[0]


def pull_in(plot: Plot) -> Entries:
    """Move the close date nearer."""
    expected = plot.deal.stages.expected_close
    if expected is None:
        return
    days = max(7, round(days_left(plot) * plot.rng.uniform(0.9, 1.3)))
    new = plot.hours.until_day(plot.today + timedelta(days=days))
    if new >= expected - timedelta(days=5):
        return
    plot.feels(0.1)
    yield plot.typed(
        ReviseForecast(
            expected_close=new,
            told_by=_teller(plot),
            cause=RevisionCause.CUSTOMER,
            reason=plot.text("pull-in"),
        )
    )


# Amounts.


def change_amount(plot: Plot) -> Entries:
    """The scope grows or shrinks. Some of it is put on record long after it was said."""
    current = plot.deal.stages.amount
    if current is None or plot.price_agreed:
        return
    grows = plot.chance(0.5 + 0.12 * plot.health)
    factor = plot.rng.uniform(1.04, 1.3) if grows else plot.rng.uniform(0.68, 0.96)
    amount = plot.money(float(current.amount) * factor, 3)
    command = ReviseForecast(
        amount=amount,
        told_by=_teller(plot) if plot.chance(0.6) else None,
        cause=RevisionCause.CUSTOMER if plot.chance(0.7) else RevisionCause.US,
        reason=plot.text("forecast.up" if grows else "forecast.down", amount=amount),
    )
    if plot.stage.decision_phase not in _DECIDING and plot.chance(0.17):
        yield plot.known_later(command, plot.days(4, 25))
    else:
        yield plot.happened(command)


def price_the_proposal(plot: Plot) -> Entries:
    """The first proposal says what it costs, near what the customer would spend."""
    if plot.price_agreed or plot.priced:
        return
    plot.priced = True
    known = plot.deal.stages.amount or plot.premise.amount
    between = (float(known.amount) + float(plot.premise.amount.amount)) / 2
    yield plot.typed(
        ReviseForecast(
            amount=plot.money(between * plot.rng.uniform(0.92, 1.1), 4),
            cause=RevisionCause.US,
            reason=plot.text("forecast.proposal"),
        )
    )


def after_discount(plot: Plot, amount: Money) -> Money:
    """A little less than `amount`: the weaker the deal stands, the more is given away."""
    given = max(0.005, 0.045 - 0.02 * plot.health + plot.rng.uniform(-0.02, 0.04))
    return plot.money(float(amount.amount) * (1 - min(given, 0.18)), 4)


# Probability and category.


def _review_probability(plot: Plot) -> Entries:
    stages = plot.deal.stages
    if stages.probability is not None:
        if plot.chance(0.25 * plot.manager.habits.discipline + 0.05):
            yield plot.typed(
                ReviseForecast(probability=None, reason=plot.text("probability.reset")),
                by=plot.manager,
            )
    elif plot.chance(0.02 + 0.16 * plot.owner.habits.optimism**2):
        yield from override_probability(plot)
    elif plot.health < -0.4 and plot.chance(0.06 * plot.owner.habits.discipline):
        lower = max(5, plot.stage.probability - plot.rng.choice((5, 10, 15)))
        yield plot.typed(ReviseForecast(probability=lower, reason=plot.text("probability.down")))


def override_probability(plot: Plot) -> Entries:
    """Feel surer than the stage allows."""
    higher = min(95, plot.stage.probability + plot.rng.choice((10, 15, 20, 20, 25, 30)))
    plot.feels(-0.08)
    yield plot.typed(
        ReviseForecast(
            probability=higher,
            reason=plot.text("probability.up") if plot.chance(0.8) else None,
        )
    )


def set_category(plot: Plot) -> Entries:
    """Count on it, or leave it out, whatever the stage says."""
    category, by = _category(plot)
    if category is plot.deal.stages.category or category is plot.stage.forecast:
        return
    yield plot.typed(
        ReviseForecast(category=category, reason=plot.text(f"category.{category.value}")), by=by
    )


def _category(plot: Plot) -> tuple[ForecastCategory, User]:
    phase = plot.stage.decision_phase
    near = phase is BuyingPhase.INVESTIGATION or (
        phase is BuyingPhase.MEASUREMENT and plot.chance(0.5)
    )
    if plot.health < -0.3:
        return ForecastCategory.OMITTED, plot.manager
    if near:
        return ForecastCategory.COMMIT, plot.writer
    return ForecastCategory.BEST_CASE, plot.manager


def _teller(plot: Plot) -> str | None:
    """Who told us, where it was somebody we know."""
    return plot.met(plot.rng.choice(("mid", "buyer", "buyer", "dm", "user")))
