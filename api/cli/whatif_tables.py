"""Variations as tables: what differs, and nothing of what does not."""

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from api.cli import shown
from api.cli.output import Column, note_caveats, print_table, say
from api.cli.remarks import print_findings
from api.plain import clean
from api.wire.deals import Deal
from api.wire.findings import Finding
from api.wire.moves import Move
from api.wire.whatif import (
    Became,
    OverrideNeed,
    ProcessTrial,
    TriedForecast,
    TriedMove,
    WhatIf,
    WhatIfFrame,
)


def tell_variation(answer: WhatIf, when: str, zone: ZoneInfo) -> None:
    """A variation of one deal."""
    deal = answer.original.deal
    say(clean(f"{deal.name}  ({shown.short_name(deal)}), {when}, forked at version {answer.at}"))
    say()
    frames = [frame for frame in answer.frames if _differs(frame)]
    if frames:
        print_table(
            [
                Column("version", right=True),
                Column("when"),
                Column(""),
                Column("what happened", wraps=True),
                Column("behind it: original → variation", wraps=True),
            ],
            [_frame_row(frame, zone) for frame in frames],
        )
    else:
        say("No move differs.")
    _tell_inadmissible(answer)
    _tell_findings(answer, zone)
    say()
    say(clean(f"original   {_end(answer.original.deal, zone)}"))
    say(clean(f"variation  {_end(answer.variation.deal, zone)}"))
    note_caveats(answer.caveats)


def _differs(frame: WhatIfFrame) -> bool:
    one_side = frame.original is None or frame.variation is None
    return one_side or frame.edit is not None or bool(_differences(frame))


def _frame_row(frame: WhatIfFrame, zone: ZoneInfo) -> list[str]:
    move = frame.variation or frame.original
    assert move is not None
    gone = "dropped" if frame.variation is None else ""
    return [
        str(frame.version),
        shown.moment(move.at, zone),
        frame.edit.value if frame.edit else gone,
        move.what,
        ", ".join(_differences(frame)),
    ]


def _estimate(move: Move) -> str:
    percent = move.estimate.percent if move.estimate else None
    return shown.NONE if percent is None else f"{percent:.1f} %"


_TOLD: dict[str, tuple[str, Callable[[Move], str]]] = {
    "status": ("", lambda move: move.status.value),
    "stage": ("stage", lambda move: shown.text(move.stage)),
    "probability": ("win probability", lambda move: shown.percent(move.probability)),
    "gate_met": ("gate", lambda move: f"{move.gate_met}/{move.gate_total}"),
    "amount": ("amount", lambda move: shown.money(move.amount)),
    "estimate": ("estimate", _estimate),
    "expected_close": ("closes", lambda move: shown.whole_day(move.expected_close)),
}


_INDICATED = {
    "buyer_phase": "buyer's phase",
    "alignment": "alignment",
    "roles_filled": "roles filled",
    "people_contacted": "people contacted",
    "contacts": "contacts",
    "days_since_decision_maker_met": "days since the decision maker was met",
    "support": "support",
    "open_concerns": "open concerns",
    "position": "position",
    "concessions": "concessions",
}


def _differences(frame: WhatIfFrame) -> list[str]:
    """The indicators that differ, each before and after, without those that follow from others."""
    before, after = frame.original, frame.variation
    if before is None or after is None:
        return []
    told = []
    for name in frame.differs:
        label, tell = _TOLD.get(name, (_INDICATED.get(name), _indicator(name)))
        if label is None:
            continue
        was, would_be = tell(before), tell(after)
        if was != would_be:
            told.append(f"{label} {was} → {would_be}".strip())
    return told


def _indicator(name: str) -> Callable[[Move], str]:
    return lambda move: shown.text(getattr(move.indicators, name, None))


def _tell_inadmissible(answer: WhatIf) -> None:
    if not answer.inadmissible:
        return
    say()
    say("No longer admissible, though it was in the original:")
    print_table(
        [
            Column("version", right=True),
            Column(""),
            Column("what", wraps=True),
            Column("rule"),
            Column("why", wraps=True),
        ],
        [
            [
                str(one.version),
                "dropped" if one.dropped else "stays",
                one.what,
                one.code,
                one.message,
            ]
            for one in answer.inadmissible
        ],
    )


def _tell_findings(answer: WhatIf, zone: ZoneInfo) -> None:
    titles = {
        Became.APPEARED: "Found in the variation alone:",
        Became.VANISHED: "No longer found:",
        Became.CHANGED: "Found in both, but not the same (as in the variation):",
    }
    for became, title in titles.items():
        found: list[Finding] = [
            finding
            for change in answer.finding_changes
            if change.change is became
            and (finding := change.variation or change.original) is not None
        ]
        if found:
            say()
            say(title)
            print_findings(found, zone)


def _end(deal: Deal, zone: ZoneInfo) -> str:
    outcome = f" ({deal.outcome})" if deal.outcome not in {None, deal.status.value} else ""
    ended = f" on {shown.day(deal.closed_at, zone)}" if deal.closed_at else ""
    return (
        f"{deal.status}{outcome}{ended} in {deal.stage}, {shown.money(deal.amount)},"
        f" win probability {shown.percent(deal.probability)},"
        f" closes {shown.whole_day(deal.expected_close)}"
    )


def tell_trial(answer: ProcessTrial, when: str, zone: ZoneInfo) -> None:
    """Another version of a process on all deals."""
    say(clean(f"{answer.process} on {answer.deals:,} {_deals(answer.deals)}, {when}"))
    if answer.other_process:
        those = _deals(answer.other_process)
        say(f"Left out: {answer.other_process:,} {those} under another process.")
    if answer.merged:
        say(f"Left out: {answer.merged:,} {_deals(answer.merged)} merged into others.")
    say()
    say(
        f"Of {answer.moves_judged:,} moves forward, {answer.needed_old:,} needed an override,"
        f" and {answer.needed_new:,} would have needed one."
    )
    _tell_moves([move for move in answer.moves if _verdict_differs(move)], zone)
    if answer.unknown_stages:
        say()
        say("Stages that are not in it, and how many deals stood there:")
        print_table(
            [Column("stage"), Column("deals", right=True)],
            [[one.stage, f"{one.deals:,}"] for one in answer.unknown_stages],
        )
    _tell_forecast(answer)


def _deals(number: int) -> str:
    return "deal" if number == 1 else "deals"


def _verdict_differs(move: TriedMove) -> bool:
    return _needs(move.old) != _needs(move.new)


def _needs(need: OverrideNeed | None) -> bool | None:
    return None if need is None else bool(need.missing or need.skipped)


def _tell_moves(moves: Sequence[TriedMove], zone: ZoneInfo) -> None:
    if not moves:
        return
    say()
    say("Moves that would have been judged otherwise:")
    print_table(
        [
            Column("deal"),
            Column("version", right=True),
            Column("when"),
            Column("move"),
            Column("until now"),
            Column("then", wraps=True),
        ],
        [
            [
                shown.text(move.reference or move.deal[:8]),
                str(move.version),
                shown.day(move.occurred_at, zone),
                f"{move.from_} → {move.to}",
                _verdict(move.old, named=False),
                _verdict(move.new, named=True),
            ]
            for move in moves
        ],
    )


def _verdict(need: OverrideNeed | None, *, named: bool) -> str:
    if need is None:
        return "no such stage"
    if not _needs(need):
        return "passes"
    if not named:
        return "override"
    parts = [
        f"{what} {', '.join(names)}"
        for what, names in (("missing", need.missing), ("skips", need.skipped))
        if names
    ]
    return f"override: {'; '.join(parts)}"


def _tell_forecast(answer: ProcessTrial) -> None:
    if not answer.totals:
        return
    differing = [one for one in answer.forecast if _forecast_differs(one)]
    same = len(answer.forecast) - len(differing)
    say()
    say("Forecast of the open deals, amount times probability:")
    print_table(
        [
            Column("deal"),
            Column("stage"),
            Column("amount", right=True),
            Column("old", right=True),
            Column("new", right=True),
            Column("old weighted", right=True),
            Column("new weighted", right=True),
        ],
        [
            [
                shown.text(one.reference or one.deal[:8]),
                one.stage,
                shown.money(one.amount),
                shown.percent(one.old_probability),
                shown.percent(one.new_probability),
                shown.rounded(one.old_weighted_amount),
                shown.rounded(one.new_weighted_amount),
            ]
            for one in differing
        ],
        [
            [
                f"{total.deals:,} {_deals(total.deals)}",
                "",
                f"{shown.rounded(total.amount)} {total.currency}",
                "",
                "",
                shown.rounded(total.old_weighted_amount),
                shown.rounded(total.new_weighted_amount),
            ]
            for total in answer.totals
        ],
    )
    if same:
        say(f"[{same:,} {_deals(same)} forecast the same, in the totals alone]")


def _forecast_differs(one: TriedForecast) -> bool:
    return one.old_probability != one.new_probability
