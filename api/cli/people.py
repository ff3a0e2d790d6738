"""The stakeholder map of one deal."""

import sys
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import typer

from api.cli import shown
from api.cli.groups import AsOf, KnownAt, WantedDeal, commands
from api.cli.output import Column, Shape, ShapeOption, note, print_json, print_table, say
from api.cli.terminal import terminal
from api.plain import clean
from api.queries.deals import stakeholder_map
from api.wire.people import Coverage, MappedPerson, StakeholderMap
from domain.naming import called
from domain.people.facts import Attitude, BuyingRole, Focus, Relationship
from domain.values import OURSELVES

app = commands()

_ATTITUDE = {
    Attitude.OPPONENT: "--",
    Attitude.SCEPTIC: "-",
    Attitude.NEUTRAL: "0",
    Attitude.SUPPORTER: "+",
    Attitude.CHAMPION: "++",
    None: "?",
}
_CLOSEST = max(step.points for step in Relationship)


@app.command(
    name="map",
    epilog="""\b
Examples:
  dealstate map D-0042
  dealstate map D-0042 --as-of 2017-06-30
  dealstate map D-0042 --format json

Everybody stands under whom they report to, with two marks: the attitude from -- (opponent) over
0 (neutral) to ++ (champion), and the relationship from 0/4 (none) to 4/4 (ally); ? is not
known. docs/people.md has the formula of each figure.""",
)
def map_(
    context: typer.Context,
    deal: WantedDeal,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Show the customer's people on a deal.

    Who reports to whom, who decides, who supports us, and whom we meet.
    """
    at = terminal(context)
    with at.opened() as store:
        instants = at.instants(store, as_of, known_at)
        answer = stakeholder_map(at.readable(store, deal), instants)
    if shape is Shape.JSON:
        print_json(answer)
    else:
        _tell(answer, shown.point(instants, at.zone), at.zone)


def _tell(answer: StakeholderMap, when: str, zone: ZoneInfo) -> None:
    say(clean(f"{answer.deal.name}  ({shown.short_name(answer.deal)}), {when}"))
    if not answer.people:
        note("Nobody of the customer's people is known there.")
        return
    names = {one.id: called(one.id, one.personal.name) for one in answer.people}
    say()
    _print_lines(answer, names, zone)
    say()
    say("[attitude -- to ++, relationship 0 to 4]")
    if answer.threads:
        say()
        print_table(
            [Column("who"), Column("stands"), Column("to"), Column("strength", right=True)],
            [
                [
                    names.get(thread.from_, thread.from_),
                    _STANDS[thread.kind],
                    names.get(thread.to, thread.to),
                    shown.NONE if thread.strength is None else f"{thread.strength}/5",
                ]
                for thread in answer.threads
            ],
        )
    say()
    for label, value in _figures(answer, names, zone):
        say(clean(f"{label:<12}{value}"))


_STANDS = {"influences": "influences", "allied": "allied with", "rival": "rival of"}


def _print_lines(answer: StakeholderMap, names: Mapping[str, str], zone: ZoneInfo) -> None:
    """The reporting lines as a tree. Names are text, whatever they hold."""
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    root = Tree("", hide_root=True)
    above: list[Tree] = [root]
    for one in answer.people:
        words = Text(clean(names[one.id]), style="bold")
        words.append(clean(_portrait(one, names, zone)), style="not bold")
        del above[one.depth + 1 :]
        above.append(above[-1].add(words, style="dim" if one.departure else ""))
    console = Console(width=None if sys.stdout.isatty() else 100_000, highlight=False)
    with console.capture() as capture:
        console.print(root)
    print("\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n")))


def _portrait(one: MappedPerson, names: Mapping[str, str], zone: ZoneInfo) -> str:
    place = [one.personal.title, one.department, f"{one.level} level" if one.level else None]
    holds = [*one.roles, *(f"power of {power}" for power in one.powers)]
    judged = one.assessment
    parts = [
        ", ".join(holds),
        f"influence {judged.influence}/5" if judged.influence else "",
        judged.openness or "",
        f"focus of {', '.join(judged.focus)}" if judged.focus else "",
        _leaning(one),
        _met(one, zone),
        _departure(one, names, zone),
    ]
    told = "; ".join(part for part in parts if part)
    return f"{''.join(f', {part}' for part in place if part)}  [{_marks(one)}]  {told}"


def _marks(one: MappedPerson) -> str:
    relationship = one.assessment.relationship
    close = "?" if relationship is None else f"{relationship.points}/{_CLOSEST}"
    return f"{_ATTITUDE[one.assessment.attitude]} {close}"


def _leaning(one: MappedPerson) -> str:
    if one.leaning is None:
        return ""
    if one.leaning.vendor in (None, OURSELVES):
        return f"leans to {one.leaning.vendor or 'nobody'}"
    return f"leans to {one.leaning.vendor_name or one.leaning.vendor}"


def _met(one: MappedPerson, zone: ZoneInfo) -> str:
    if not one.contacts:
        return "never met"
    contacts = "1 contact" if one.contacts == 1 else f"{one.contacts:,} contacts, last"
    return f"{contacts} {shown.day(one.last_met_at, zone)}"


def _departure(one: MappedPerson, names: Mapping[str, str], zone: ZoneInfo) -> str:
    if one.departure is None:
        return ""
    successor = one.departure.successor
    followed = f", {names.get(successor, successor)} took over" if successor else ""
    return f"left {shown.day(one.departure.departed_at, zone)}{followed}"


def _figures(
    answer: StakeholderMap, names: Mapping[str, str], zone: ZoneInfo
) -> list[tuple[str, str]]:
    figures = answer.coverage
    missing = f", missing: {', '.join(figures.roles_missing)}" if figures.roles_missing else ""
    levels = [f"{level.level or 'unknown'} {level.people}" for level in figures.levels]
    people = sum(level.people for level in figures.levels)
    busiest = (
        f"{names.get(figures.busiest, figures.busiest)} took part in {figures.busiest_share} %"
        " of the contacts"
        if figures.busiest
        else "no contacts yet"
    )
    return [
        ("Roles", f"{len(figures.roles_filled)} of {len(BuyingRole)} filled{missing}"),
        ("Decides", _decides(answer, names)),
        ("Levels", ", ".join(levels)),
        ("Contacted", f"{len(figures.contacted_30_days)} of {people} in the last 30 days"),
        ("Busiest", busiest),
        ("Support", _support(figures)),
        ("Entry", _entry(figures, zone)),
    ]


def _decides(answer: StakeholderMap, names: Mapping[str, str]) -> str:
    deciding = [
        names[one.id]
        for one in answer.people
        if BuyingRole.DECISION_MAKER in one.roles and one.departure is None
    ]
    if not deciding:
        return "nobody known"
    days = answer.coverage.days_since_decision_maker_met
    met = {None: "never met", 0: "met today", 1: "met 1 day ago"}.get(days, f"met {days} days ago")
    return f"{', '.join(deciding)}, {met}"


def _support(figures: Coverage) -> str:
    by_level = [
        f"{level.level or 'unknown'} {level.support:+}" for level in figures.levels if level.people
    ]
    unassessed = f"; {figures.unassessed} not assessed" if figures.unassessed else ""
    return f"{figures.support:+} ({', '.join(by_level)}){unassessed}"


def _entry(figures: Coverage, zone: ZoneInfo) -> str:
    reached = [
        f"{way.focus} {shown.day(way.reached_at, zone)}"
        for way in figures.entry_path
        if way.reached_at
    ]
    unmet = [way.focus.value for way in figures.entry_path if not way.reached_at]
    known = {way.focus for way in figures.entry_path}
    unknown = [focus.value for focus in Focus if focus not in known]
    parts = [
        " → ".join(reached),
        f"not met: {', '.join(unmet)}" if unmet else "",
        f"not known: {', '.join(unknown)}" if unknown else "",
    ]
    return "; ".join(part for part in parts if part)
