"""The deals behind a count of one period, in order of id, a page at a time."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from domain.lifecycle import Status
from projections.columns.relation import literal
from projections.operating.asking import Question, Tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projections.columns import Periods
    from projections.columns.relation import Relation


class Count(StrEnum):
    """What is counted of deals."""

    NEW = "new"
    WON = "won"
    LOST = "lost"
    LOST_TO_COMPETITOR = "lost-to-competitor"
    VOIDED = "voided"
    OPEN = "open"
    ACTIVE = "active"
    EXPECTED = "expected"
    PUSHED_OUT = "pushed-out"
    PUSHED = "pushed"


class Page(NamedTuple):
    """Ids of deals, and how many there are on all pages together."""

    deal_ids: list[str]
    matching: int
    has_more: bool


def deals_counted(
    connection: Connection,
    periods: Periods,
    question: Question,
    count: Count,
    *,
    limit: int,
    after: str = "",
) -> Page:
    """The deals that are counted so in the one period of the question, behind the deal `after`.

    Raises ValueError for what cannot be asked.
    """
    question.check()
    if len(question.periods) != 1:
        raise ValueError("deals are listed for one period")

    def ask(relation: Relation) -> Page:
        tables = Tables(relation, question)
        if not tables.spans:
            return Page([], 0, has_more=False)
        tables.hold()
        source, steps = _counted(tables, count)
        relation.hold("behind", f"SELECT DISTINCT deal FROM {source}", **steps)
        [[matching]] = relation.rows("SELECT count(*) FROM behind")
        rows = relation.rows(
            f"""
            SELECT id FROM behind JOIN deals USING (deal) WHERE id > {literal(after)}
            ORDER BY id LIMIT {limit + 1}
            """
        )
        return Page([row[0] for row in rows[:limit]], matching, has_more=len(rows) > limit)

    return periods.ask(connection, ask, question.reach)


def _counted(tables: Tables, count: Count) -> tuple[str, dict[str, str]]:
    """Which rows of a table are counted so, and the steps to it."""
    match count:
        case Count.NEW:
            return "fresh", {"fresh": tables.fresh()}
        case Count.WON | Count.LOST | Count.VOIDED:
            condition = f"now IN {tables.status(Status(count.value))}"
        case Count.LOST_TO_COMPETITOR:
            lost = tables.status(Status.LOST)
            condition = f"now IN {lost} AND outcome = {tables.competitor}"
        case Count.OPEN:
            opened = tables.status(Status.OPEN)
            return f"lasting WHERE status IN {opened}", {}
        case Count.ACTIVE:
            active = f"SELECT deal FROM lasting UNION ALL SELECT deal FROM ({tables.gone()})"
            return "active", {"active": active}
        case Count.EXPECTED:
            return "moving WHERE expected", tables.moving()
        case Count.PUSHED_OUT:
            return "moving WHERE pushed_out", tables.moving()
        case Count.PUSHED:
            return "moving WHERE pushes > 0", tables.moving()
    return f"decided WHERE {condition}", {"decided": tables.decided()}
