"""A post-mortem in words, as the templates show it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.pages.amounts import counted, money
from api.pages.language import Language
from api.pages.likeness import comparison
from api.pages.verdict import TITLES, kind, no_mistake, nothing_stands_out, outcome, verdict
from api.wire.chances import Contribution
from api.wire.concessions import SideFigures
from api.wire.findings import Finding
from api.wire.moves import Move, TurningPoint
from api.wire.negotiation import NegotiationLedger
from api.wire.people import Coverage
from api.wire.postmortems import Lesson, PostMortem
from domain.people.facts import BuyingRole
from domain.process import Words
from domain.values import Party
from projections.findings import Weight

MARKS = {Weight.NOTE: "?!", Weight.MISTAKE: "?", Weight.BLUNDER: "??"}
NONE = "–"
_QUIET_DAYS = 7
"""A fall after so many days without a move is told as one of that time."""
_STRONGEST = 3
"""So many indicators are named as what moved the estimate."""


class PostMortemWords:
    """What the templates of the post-mortem show. Days are those of the time zone."""

    def __init__(self, report: PostMortem, zone: ZoneInfo, language: Language) -> None:
        self.report = report
        self._zone = zone
        self._language = language
        self._moves = {move.number: move for move in report.moves}

    def all(self) -> dict[str, Any]:
        """Everything but charts, by the name under which a template knows it."""
        report = self.report
        best = report.map_at_best
        return {
            "deal": report.deal,
            "kind": kind(report),
            "outcome": outcome(report),
            "facts": list(self._facts()),
            "verdict": " ".join(verdict(report, self._day)),
            "curve_legend": self._curve_legend(),
            "turns": [self._turn(number, one) for number, one in enumerate(self._main(), start=1)],
            "nothing_stands_out": nothing_stands_out(report),
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
            "no_mistake": no_mistake(report),
            "not_assessable": ", ".join(one.rule for one in report.not_assessable),
            "best_day": self._day(best.as_of) if best else None,
            "people_rows": self._people_rows(),
            "comparison": self._comparison(),
            "lessons": [self._lesson(one) for one in report.lessons],
            "moves": [self._move(one) for one in report.moves],
            "footer": self._footer(),
        }

    # The head.

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
        moves = counted(len(self.report.moves), "move")
        yield f"{moves} in {counted(self.report.days, 'day')}"

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
        day = self._day(point.at)
        found = [self._finding(self.report.findings[n]) for n in point.findings]
        return {
            "number": number,
            "day": day,
            "version": point.version,
            "what": point.what,
            "fall": fall,
            "quiet": quiet if fall and quiet >= _QUIET_DAYS else 0,
            "findings": [{**one, "other_day": one["since"] != day} for one in found],
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
        on_record = {move.version for move in self.report.moves}
        return {
            "rule": finding.rule,
            "weight": finding.weight.value,
            "mark": MARKS[finding.weight],
            "since": self._day(finding.since),
            "until": self._day(finding.until) if finding.until else None,
            **self._spoken(finding.sentence),
            "evidence": [one for one in finding.evidence if one in on_record],
        }

    def _spoken(self, words: Words) -> dict[str, str]:
        """`text` in the language wanted; `zh` beside it where both are."""
        if self._language is Language.ZH:
            return {"text": words.zh or words.en, "zh": ""}
        return {"text": words.en, "zh": words.zh or "" if self._language is Language.BOTH else ""}

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
        return {**self._spoken(lesson.words), "source": source}

    def _comparison(self) -> dict[str, Any] | None:
        found = self.report.comparison
        return None if found is None else comparison(found, self._day(found.at))

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
            " Chances are per cent; a finding cites the versions of the moves that make it."
        )

    def _day(self, instant: str) -> str:
        return datetime.fromisoformat(instant).astimezone(self._zone).date().isoformat()


def moved_by(contributions: Iterable[Contribution]) -> str:
    """The indicators that pulled the estimate down the most."""
    down = [one.indicator.replace("-", " ") for one in contributions if one.change < 0]
    return ", ".join(down[:_STRONGEST])


def _chance(move: Move) -> str:
    if move.estimate is not None and move.estimate.percent is not None:
        return f"{move.estimate.percent:.0f} %"
    return NONE if move.probability is None else f"({move.probability} %)"


def _negotiated(ledger: NegotiationLedger) -> str:
    figures = ledger.figures
    ended = ledger.conclusion.result.value.replace("-", " ") if ledger.conclusion else "open"
    ours, theirs = figures.ours, figures.theirs
    parts = [
        f"{counted(figures.rounds, 'round')}, {ended}",
        f"we conceded {_conceded(ours)}",
        f"they {_conceded(theirs)}",
    ]
    if ours.unilateral_share is not None:
        parts.append(f"{float(ours.unilateral_share):.0%} of ours with nothing in return")
    return "; ".join(parts) + "."


def _conceded(by: SideFigures) -> str:
    return counted(by.concessions, "time") + (f" ({money(by.cost)})" if by.cost else "")


def _days(days: int | None) -> str:
    return "never" if days is None else f"{counted(days, 'day')} before"


_COVERAGE: dict[str, Callable[[Coverage], str]] = {
    "roles filled": lambda one: f"{len(one.roles_filled)} of {len(BuyingRole)}",
    "met in the 30 days before": lambda one: str(len(one.contacted_30_days)),
    "decision maker met": lambda one: _days(one.days_since_decision_maker_met),
    "support": lambda one: f"{one.support:+}",
    "busiest contact": lambda one: NONE if one.busiest_share is None else f"{one.busiest_share} %",
}
