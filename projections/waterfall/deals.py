"""The deals behind a line of the waterfall, a page at a time.

The lines are made of sums; a page is made of the transitions themselves, by the same steps. So
that the database need not know what the steps are, it is asked for the kinds of transitions
first, and then for the deals of those kinds that take a step of the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from projections.columns.relation import literal
from projections.figures import Values, require_dimensions
from projections.instants import instant_of
from projections.waterfall.asking import ANEW, CHANGE, Asked, Pairs, Transitions
from projections.waterfall.bridge import Value
from projections.waterfall.steps import (
    CORRECTED,
    END,
    REVALUED,
    START,
    Line,
    NothingCorrected,
    NothingRevalued,
    Step,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy import Connection

    from projections.columns import Periods
    from projections.columns.relation import Relation
    from projections.figures import Point
    from projections.waterfall.asking import Question
    from projections.waterfall.bridge import Rates

Place = tuple[int, str]
"""The moment of an entry in microseconds, and its deal: by these a listing is ordered."""


class Entry(msgspec.Struct, frozen=True):
    """What a deal adds to a line, or that it stands at the start or the end."""

    deal_id: str
    moment: datetime
    """When it did so; of what stands or is corrected, the moment that is looked at."""
    line: Line
    group: dict[str, str | None]
    currency: str
    deals: int
    """With its sign; 0 where only the amount changes."""
    amount: Decimal
    """With its sign, exact."""
    unpriced: bool = False
    """Whether it stands without an amount on record."""


class Page(msgspec.Struct, frozen=True):
    """Some of the entries, ordered by moment and deal. The same deal may come several times."""

    entries: list[Entry]
    next: Place | None
    """Behind which the listing goes on; None: there are no more."""


def deals_behind(
    connection: Connection,
    periods: Periods,
    question: Question,
    lines: Collection[Line],
    rates: Rates | None = None,
    *,
    limit: int = 50,
    after: Place | None = None,
) -> Page:
    """A page of the deals behind lines of one name, up to `limit` deals and moments.

    Raises ValueError for an unknown dimension, NoSuchLine for one that the question has not.
    """
    require_dimensions((*question.by, *question.where))
    if REVALUED in lines and rates is None:
        raise NothingRevalued("nothing is revalued without a currency to report in")
    if CORRECTED in lines and not question.as_believed:
        raise NothingCorrected("nothing is corrected unless each moment is seen as it was believed")

    def ask(relation: Relation) -> Page:
        found = _found(_Listing(Asked(relation, question), lines, rates), limit + 1, after)
        more = len(found) > limit
        some = found[:limit]
        return Page(
            [entry for _, entries in some for entry in entries], some[-1][0] if more else None
        )

    return periods.ask(connection, ask, question.reach)


_KIND = 5
"""Columns that tell kinds of transitions apart."""

Found = list[tuple[Place, list[Entry]]]


def _found(listing: _Listing, limit: int, after: Place | None) -> Found:
    asked = listing.asked
    if START in listing.lines:
        return listing.standing(START, asked.question.start, limit, after)
    if END in listing.lines:
        return listing.standing(END, asked.question.end, limit, after)
    if REVALUED in listing.lines:
        return listing.standing(REVALUED, asked.question.start, limit, after)
    pairs = asked.correcting() if CORRECTED in listing.lines else asked.moving()
    return listing.moved(pairs, limit, after)


class _Listing:
    """The deals behind some lines."""

    def __init__(self, asked: Asked, lines: Collection[Line], rates: Rates | None) -> None:
        self.asked = asked
        self.lines = lines
        self._rates = rates

    def standing(self, line: Line, point: Point, limit: int, after: Place | None) -> Found:
        at = point.occurred
        condition = "true" if after is None else _behind(str(at), after)
        if line == REVALUED:
            condition += f" AND priced = 1 AND currency IN {self._revalued()}"
        found: Found = []
        for deal_id, group, own, priced, minor in self.asked.standing_deals(
            point, condition, limit
        ):
            value = Value.of(own, self._rates)
            worth = {START: value.at_start, END: value.at_end, REVALUED: value.revalued}[line]
            entry = Entry(
                deal_id,
                instant_of(at),
                line,
                self._named(group),
                value.currency,
                0 if line == REVALUED else 1,
                worth(minor),
                unpriced=not priced,
            )
            found.append(((at, deal_id), [entry]))
        return found

    def _revalued(self) -> str:
        relation = self.asked.relation
        texts = [text for text in relation.texts("currency") if text]
        changed = [text for text in texts if Value.of(text, self._rates).changes]
        return relation.codes("currency", changed) if changed else "(NULL)"

    def moved(self, pairs: Pairs, limit: int, after: Place | None) -> Found:
        """Transitions of the kinds that take a step of these lines."""
        asked = self.asked
        many = len(asked.question.by)
        moves = [f"b.g{n} IS DISTINCT FROM a.g{n}" for n in range(many)]
        kind = (
            "coalesce(b.state, -1)",
            "a.state",
            ANEW,
            " OR ".join(moves) or "false",
            f"sign({CHANGE})",
        )
        wanted = self._wanted_kinds(pairs, ", ".join(f"({one})" for one in kind))
        if not wanted:
            return []
        behind = "" if after is None else f" AND {_behind('moment', after)}"
        query = asked.selected(", moment, id", "JOIN deals USING (deal)")
        rows = asked.relation.rows(
            f"{query} WHERE ({', '.join(kind)}) IN ({', '.join(wanted)}){behind}"
            f" GROUP BY ALL ORDER BY moment, id LIMIT {limit}",
            **pairs.steps,
        )
        return [
            ((row[-2], row[-1]), self._entries(asked.transition(row[:-2], pairs), *row[-2:]))
            for row in rows
        ]

    def _entries(self, transition: Transitions, moment: int, deal_id: str) -> list[Entry]:
        value = Value.of(transition.currency, self._rates)
        return [
            Entry(
                deal_id,
                instant_of(moment),
                step.line,
                self._named(step.state.group),
                value.currency,
                step.deals,
                value.at_end(amount),
            )
            for step, amount in self._steps(transition)
        ]

    def _wanted_kinds(self, pairs: Pairs, kind: str) -> list[str]:
        rows = self.asked.relation.rows(
            f"{self.asked.selected(f', {kind}')} GROUP BY ALL", **pairs.steps
        )
        return sorted(
            {
                str(tuple(row[-_KIND:]))
                for row in rows
                if any(True for _ in self._steps(self.asked.transition(row[:-_KIND], pairs)))
            }
        )

    def _steps(self, transition: Transitions) -> Iterator[tuple[Step, int]]:
        """The steps of these lines that a transition takes, and what they bring."""
        for step, _, amount in transition.steps():
            if step.line in self.lines:
                yield step, amount

    def _named(self, group: Values) -> dict[str, str | None]:
        return dict(zip(self.asked.question.by, group, strict=True))


def _behind(moment: str, after: Place) -> str:
    """The condition for what comes behind an entry; `moment` is its column, or a number."""
    at, deal_id = after
    behind = f"{moment} = {int(at)} AND id > {literal(deal_id)}"
    return f"({moment} > {int(at)} OR ({behind}))"
