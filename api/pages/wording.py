"""A post-mortem in words, as the templates show it."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from api.wire.chances import Contribution
from api.wire.findings import Finding
from api.wire.moves import Move, TurningPoint
from api.wire.negotiation import NegotiationLedger
from api.wire.people import Coverage
from api.wire.postmortems import Lesson, PostMortem
from api.wire.values import Amount
from domain.people.facts import BuyingRole
from domain.values import Party
from projections.findings import Weight

MARKS = {Weight.NOTE: "?!", Weight.MISTAKE: "?", Weight.BLUNDER: "??"}
TITLES = {Weight.BLUNDER: "Blunders", Weight.MISTAKE: "Mistakes", Weight.NOTE: "Notes"}
NONE = "–"
_NEAR_THE_END = timedelta(days=7)
"""What falls so late falls since it is over."""
_QUIET_DAYS = 7
"""A fall after so many days without a move is told as one of that time."""
_MOST_PLACES = 10
_STRONGEST = 3
"""So many indicators are named as what moved the estimate."""


class PostMortemWords:
    """What the templates of the post-mortem show. Days are those of the time zone."""

    def __init__(self, report: PostMortem, zone: ZoneInfo) -> None:
        self.report = report
        self._zone = zone
        self._moves = {move.number: move for move in report.moves}

    def all(self) -> dict[str, Any]:
        """Everything but charts, by the name under which a template knows it."""
        report = self.report
        best = report.map_at_best
        return {
            "deal": report.deal,
            "outcome": self._outcome(),
            "facts": list(self._facts()),
            "verdict": " ".join(self._verdict()),
            "curve_legend": self._curve_legend(),
            "turns": [self._turn(number, one) for number, one in enumerate(self._main(), start=1)],
            "reasons": [
                {
                    "told_by": one.told_by.value,
                    "driver": one.driver.value,
                    "text": one.text,
                    "day": self._day(one.occurred_at),
                }
                for one in report.reasons
            ],
            "findings": list(self._findings()),
            "not_assessable": ", ".join(one.rule for one in report.not_assessable),
            "best_day": self._day(best.as_of) if best else None,
            "people_rows": self._people_rows(),
            "comparison": self._comparison(),
            "lessons": [self._lesson(one) for one in report.lessons],
            "moves": [self._move(one) for one in report.moves],
            "footer": self._footer(),
        }

    # The head.

    def _outcome(self) -> str:
        deal = self.report.deal
        return (deal.outcome or deal.status.value).replace("-", " ")

    def _facts(self) -> Iterable[str]:
        deal = self.report.deal
        yield deal.reference or deal.id
        if deal.account:
            yield deal.account
        yield money(deal.amount) if deal.amount else "amount unknown"
        yield f"owner {deal.owner.name or deal.owner.id}"
        yield f"opened {self._day(deal.opened_at)}"
        if deal.closed_at:
            yield f"ended {self._day(deal.closed_at)}"
        yield f"{len(self.report.moves):,} moves in {self.report.days:,} days"

    def _verdict(self) -> Iterable[str]:
        report, deal = self.report, self.report.deal
        if deal.closed_at:
            yield (
                f"{self._ended()} on {self._day(deal.closed_at)}, after {report.days:,} days; it"
                f" came as far as {report.furthest_stage}."
            )
        if report.best_move is not None:
            best = self._moves[report.best_move]
            yield f"It stood best on {self._day(best.at)}, with a chance of {_chance(best)}."
        falls = [one for one in self._main() if one.estimate_before is not None]
        early = [one for one in falls if self._long_before_the_end(one)]
        if falls:
            worst = max(early or falls, key=_fall)
            before_the_end = " before the end" if early and len(early) < len(falls) else ""
            yield (
                f"The chance fell furthest{before_the_end} on {self._day(worst.at)}, from"
                f" {worst.estimate_before:.0f} to {worst.estimate_after:.0f} %."
            )
        if report.point_of_no_return is not None:
            at = self._moves[report.point_of_no_return].at
            yield f"From {self._day(at)} on it stayed below 15 %."
        counted = [
            f"{count} {title.lower() if count > 1 else title.lower().rstrip('s')}"
            for weight, title in TITLES.items()
            if (count := sum(one.weight is weight for one in report.findings))
        ]
        if counted:
            yield f"The rules find {_listed(counted)}."

    def _ended(self) -> str:
        words = self._outcome().capitalize()
        lost_to = self.report.lost_to
        return words.replace("competitor", lost_to) if lost_to else words

    def _long_before_the_end(self, point: TurningPoint) -> bool:
        closed_at = self.report.deal.closed_at
        if closed_at is None:
            return True
        return datetime.fromisoformat(closed_at) - datetime.fromisoformat(point.at) > _NEAR_THE_END

    def _curve_legend(self) -> str:
        cohort = [one.estimate for one in self.report.moves if one.estimate]
        known = [one for one in cohort if one.percent is not None]
        if known:
            return (
                f"the chance to win as deals like it went, with its 90 % interval, from"
                f" {known[-1].cohort:,} deals decided before."
            )
        if not cohort and self.report.caveats:
            return f"the chance as deals like it went is missing: {'; '.join(self.report.caveats)}."
        decided = cohort[-1].cohort if cohort else 0
        return (
            f"the chance as deals like it went is undetermined: {decided:,} decided deals, at"
            " least 100 are needed."
        )

    # The turning points.

    def _main(self) -> list[TurningPoint]:
        main = set(self.report.main_turning_points)
        return [one for one in self.report.turning_points if one.number in main]

    def _turn(self, number: int, point: TurningPoint) -> dict[str, Any]:
        fall = None
        if point.estimate_before is not None and point.estimate_after is not None:
            fall = (f"{point.estimate_before:.0f}", f"{point.estimate_after:.0f}")
        quiet = self._moves[point.move].days_since_last_move
        return {
            "number": number,
            "day": self._day(point.at),
            "what": point.what,
            "fall": fall,
            "quiet": quiet if fall and quiet >= _QUIET_DAYS else 0,
            "findings": [self._finding(self.report.findings[n]) for n in point.findings],
            "moved_by": moved_by(self._moves[point.move].moved_by) if fall else "",
        }

    # The findings.

    def _findings(self) -> Iterable[dict[str, Any]]:
        for weight, title in TITLES.items():
            found = [one for one in self.report.findings if one.weight is weight]
            if found:
                yield {
                    "weight": weight.value,
                    "mark": MARKS[weight],
                    "title": title,
                    "findings": [self._finding(one) for one in found],
                }

    def _finding(self, finding: Finding) -> dict[str, Any]:
        moves = {move.version: move.number for move in self.report.moves}
        cited = [f"move {moves[one]}" for one in finding.evidence if one in moves]
        return {
            "rule": finding.rule,
            "weight": finding.weight.value,
            "mark": MARKS[finding.weight],
            "since": self._day(finding.since),
            "until": self._day(finding.until) if finding.until else None,
            "sentence": finding.sentence.en,
            "zh": finding.sentence.zh or "",
            "evidence": ", ".join(cited),
        }

    # People, negotiation, lessons.

    def _people_rows(self) -> list[list[str]]:
        report = self.report
        if not report.map_at_the_end.people:
            return []
        maps = [one for one in (report.map_at_best, report.map_at_the_end) if one is not None]
        return [
            [label, *(shown(one.coverage) for one in maps)] for label, shown in _COVERAGE.items()
        ]

    def negotiations(self) -> list[dict[str, Any]]:
        """Each negotiation in words, without charts."""
        return [
            {"summary": _negotiated(one), "concessions": self._concessions(one)}
            for one in self.report.negotiations.negotiations
        ]

    def _concessions(self, ledger: NegotiationLedger) -> list[list[str]]:
        return [
            [
                self._day(one.made_at),
                "we" if one.side is Party.US else "customer",
                one.issue,
                f"{one.from_} → {one.to}",
                money(one.cost) if one.cost else NONE,
                one.in_return_for or ", ".join(one.improved) or "nothing",
            ]
            for one in ledger.concessions
        ]

    def _lesson(self, lesson: Lesson) -> dict[str, str]:
        source = "from the debrief" if lesson.source == "debrief" else ", ".join(lesson.rules)
        return {"text": lesson.words.en, "zh": lesson.words.zh or "", "source": source}

    def _comparison(self) -> dict[str, Any] | None:
        found = self.report.comparison
        if found is None:
            return None
        day = self._day(found.at)
        if not found.places:
            few = f"{found.won:,} won deals are" if found.won != 1 else "1 won deal is"
            return {"intro": f"On {day}: {few} comparable, too few to compare.", "rows": []}
        alike = ", ".join(one.replace("-", " ") for one in found.matched_on) or "age alone"
        far = sorted(found.places, key=lambda one: -abs(one.percentile - 50))
        return {
            "intro": (
                f"On {day}, as old as this deal was then, {found.won:,} deals that were won and are"
                f" alike in {alike}. Those indicators stand first in which it differs the most."
            ),
            "rows": [
                [
                    one.indicator.replace("-", " "),
                    _figure(one.value),
                    _figure(one.median),
                    f"{one.percentile:.0f} %",
                ]
                for one in far[:_MOST_PLACES]
            ],
        }

    # Moves.

    def _move(self, move: Move) -> dict[str, Any]:
        begun = [
            self.report.findings[number]
            for point in self.report.turning_points
            if point.move == move.number
            for number in point.findings
        ]
        weights = [list(Weight).index(one.weight) for one in begun]
        return {
            "number": move.number,
            "version": move.version,
            "day": self._day(move.at),
            "stage": move.stage or "",
            "chance": _chance(move),
            "mark": MARKS[list(Weight)[max(weights)]] if weights else "",
            "turns": any(point.move == move.number for point in self._main()),
            "what": move.what,
        }

    def _footer(self) -> str:
        report = self.report
        return (
            f"As of {self._day(report.as_of)}, with what was known on {self._day(report.known_at)}."
            " Chances are per cent; a finding cites the moves that make it."
        )

    def _day(self, instant: str) -> str:
        return datetime.fromisoformat(instant).astimezone(self._zone).date().isoformat()


def money(amount: Amount) -> str:
    """With thousands, and without minor digits that say nothing."""
    return f"{float(amount.amount):,.2f}".removesuffix(".00") + f" {amount.currency}"


def moved_by(contributions: Iterable[Contribution]) -> str:
    """The indicators that pulled the estimate down the most."""
    down = [one.indicator.replace("-", " ") for one in contributions if one.change < 0]
    return ", ".join(down[:_STRONGEST])


def _listed(parts: list[str]) -> str:
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)


def _chance(move: Move) -> str:
    if move.estimate is not None and move.estimate.percent is not None:
        return f"{move.estimate.percent:.0f} %"
    return NONE if move.probability is None else f"({move.probability} %)"


def _fall(point: TurningPoint) -> float:
    return (point.estimate_before or 0.0) - (point.estimate_after or 0.0)


def _figure(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _negotiated(ledger: NegotiationLedger) -> str:
    figures = ledger.figures
    ended = ledger.conclusion.result.value.replace("-", " ") if ledger.conclusion else "open"
    ours, theirs = figures.ours, figures.theirs
    parts = [
        f"{figures.rounds} rounds, {ended}",
        f"we conceded {ours.concessions} times" + (f" ({money(ours.cost)})" if ours.cost else ""),
        f"they {theirs.concessions} times" + (f" ({money(theirs.cost)})" if theirs.cost else ""),
    ]
    if ours.unilateral_share is not None:
        parts.append(f"{float(ours.unilateral_share):.0%} of ours with nothing in return")
    return "; ".join(parts) + "."


def _days(days: int | None) -> str:
    return "never" if days is None else f"{days:,} days before"


_COVERAGE: dict[str, Callable[[Coverage], str]] = {
    "roles filled": lambda one: f"{len(one.roles_filled)} of {len(BuyingRole)}",
    "met in the 30 days before": lambda one: str(len(one.contacted_30_days)),
    "decision maker met": lambda one: _days(one.days_since_decision_maker_met),
    "support": lambda one: f"{one.support:+}",
    "busiest contact": lambda one: NONE if one.busiest_share is None else f"{one.busiest_share} %",
}
