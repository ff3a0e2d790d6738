"""The audit: who did what, when, and what became of it."""

from typing import Annotated

import typer

from api.accesses import AUDIT
from api.cli import checking, checkpoints, proofs, shown, witnessing
from api.cli.groups import commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    note,
    note_caveats,
    print_json,
    print_listing,
    print_table,
)
from api.cli.terminal import Terminal, terminal
from api.queries.accesses import accesses_to_all, accesses_to_deal
from api.queries.listing import find_deal
from api.queries.trails import TrailQuery, trail_of_all, trail_of_deal, with_leaves
from api.wire.trails import AuditEntry, AuditTrail

app = commands()
audit = commands(
    help="Who did what and when, and proofs that the log is as it was.", no_args_is_help=True
)
app.add_typer(audit, name="audit")
for part in (checkpoints, proofs, checking, witnessing):
    audit.add_typer(part.app)

SinceOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only what was recorded from then on.")
]
UntilOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only what was recorded until then.")
]
LimitOption = Annotated[int, typer.Option(min=1, metavar="N", help="At most so many.")]
AfterOption = Annotated[
    int, typer.Option(min=0, metavar="CURSOR", help="Go on behind this position in the log.")
]


@app.callback()
def _group() -> None:
    """Hold the group."""


@audit.command(
    epilog="""\b
Examples:
  dealstate audit trail D-0042
  dealstate audit trail --actor "Anna Lee" --since 2026-11-01
  dealstate audit trail --since 2026-11-21T14:00 --until 2026-11-21T15:00 --format csv

The trail shows every entry, withdrawn ones too, in the order in which the log took them in.
Since and until speak of that moment; a bare date is the start of the day in --since, its end
in --until."""
)
def trail(
    context: typer.Context,
    deal: Annotated[
        str | None,
        typer.Argument(
            metavar="[DEAL]",
            help="A deal by id, reference or the start of its name; none: everything.",
            show_default=False,
        ),
    ] = None,
    *,
    actor: Annotated[
        str | None, typer.Option(metavar="USER", help="Only what this user did, by id or name.")
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: LimitOption = 1000,
    after: AfterOption = 0,
    layout: FormatOption = Format.TABLE,
) -> None:
    """List every event of a deal, of a user or of a period."""
    at = terminal(context)
    with at.opened() as store:
        now = store.now()
        query = TrailQuery(
            actor,
            at.start(since, "--since", now),
            at.instant(until, "--until", now),
            limit,
            after,
        )
        if deal is None:
            visible = at.audited(store)
            store.accesses.exported(at.principal(store), AUDIT, visible)
            answer = trail_of_all(store, visible, query)
        else:
            answer = trail_of_deal(at.readable(store, deal), query)
        answer = with_leaves(store, at.principal(store), answer)
    _print_answer(answer, at, layout, several=deal is None)


def _print_answer(answer: AuditTrail, at: Terminal, layout: Format, *, several: bool) -> None:
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing(answer.entries, AuditEntry)
        case Format.TABLE:
            _print_trail(answer, at, several=several)
    if layout is not Format.JSON:
        note_caveats(answer.caveats)


@audit.command(
    epilog="""\b
Examples:
  dealstate audit accesses
  dealstate audit accesses --deal D-0042 --since 2026-11-01
  dealstate audit accesses --actor "Anna Lee" --format csv

Who was shown a deal with its secrets, or all of the store, is recorded once a day for each user;
what whoever holds the files reads on the command line is not."""
)
def accesses(
    context: typer.Context,
    *,
    deal: Annotated[
        str | None,
        typer.Option(metavar="DEAL", help="Only those to this deal, by id or reference."),
    ] = None,
    actor: Annotated[
        str | None, typer.Option(metavar="USER", help="Only those of this user, by id or name.")
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: LimitOption = 1000,
    after: AfterOption = 0,
    layout: FormatOption = Format.TABLE,
) -> None:
    """List who was shown secrets of deals, or took them out."""
    at = terminal(context)
    with at.opened() as store:
        now = store.now()
        at.audited(store)
        query = TrailQuery(
            actor,
            at.start(since, "--since", now),
            at.instant(until, "--until", now),
            limit,
            after,
            accesses=True,
        )
        if deal is None:
            answer = accesses_to_all(store, query)
        else:
            answer = accesses_to_deal(store, find_deal(store, deal), query)
        answer = with_leaves(store, at.principal(store), answer)
    _print_answer(answer, at, layout, several=True)


def _print_trail(answer: AuditTrail, at: Terminal, *, several: bool) -> None:
    if not answer.entries:
        note("No entries match.")
        return
    about = [Column("about")] if several else []
    print_table(
        [
            Column("position", right=True),
            *about,
            Column("version", right=True),
            Column("occurred"),
            Column("known", spare=True),
            Column("recorded", spare=True),
            Column("by"),
            Column("source", spare=True),
            Column("what happened", wraps=True),
        ],
        [_row(entry, at, several=several) for entry in answer.entries],
    )
    if answer.without_key:
        note(
            f"Of {answer.without_key:,} of these a key is missing, so they show [hidden]:"
            " `dealstate audit fsck --fields` says which."
        )
    if answer.cursor:
        note(f"There are more: raise --limit, or go on with --after {answer.cursor}")


def _row(entry: AuditEntry, at: Terminal, *, several: bool) -> list[str]:
    kind, _, identifier = entry.stream.partition(":")
    about = [f"{kind} {identifier[:8]}"] if several else []
    return [
        f"{entry.position:,}",
        *about,
        str(entry.version),
        shown.moment(entry.occurred_at, at.zone),
        shown.day(entry.known_at, at.zone),
        shown.moment(entry.recorded_at, at.zone),
        shown.person(entry.actor),
        entry.source,
        " ".join([entry.what, *_remarks(entry)]),
    ]


def _remarks(entry: AuditEntry) -> list[str]:
    remarks = {
        "[inferred]": entry.inferred,
        "[entered late]": entry.late,
        f"[withdrawn by version {entry.withdrawn_by}]": entry.withdrawn_by is not None,
    }
    return [remark for remark, holds in remarks.items() if holds]
