"""The post-mortem of one deal."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli.files import hand_over
from api.cli.groups import AsOf, KnownAt, WantedDeal, commands
from api.cli.output import note_caveats
from api.cli.progress import Progress
from api.cli.terminal import terminal
from api.pages.language import Language
from api.queries.postmortems import postmortem_of

app = commands()


class Layout(StrEnum):
    """As what a post-mortem is written."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


_BY_SUFFIX = {
    ".html": Layout.HTML,
    ".htm": Layout.HTML,
    ".md": Layout.MARKDOWN,
    ".json": Layout.JSON,
}


@app.command(
    epilog="""\b
Examples:
  dealstate postmortem D-0042
  dealstate postmortem D-0042 -o d-0042.html       one file with its charts, also for print
  dealstate postmortem D-0042 --as-of 2026-03-31 -o then.md
  dealstate postmortem D-0042 --language zh -o d-0042.md
  dealstate postmortem D-0042 --format json

The ending of FILE says as what it is written: .html, .md or .json."""
)
def postmortem(
    context: typer.Context,
    deal: WantedDeal,
    *,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write it.", show_default="-"),
    ] = None,
    layout: Annotated[
        Layout | None,
        typer.Option("--format", "-f", metavar="markdown|html|json", help="As what to write it."),
    ] = None,
    language: Annotated[
        Language,
        typer.Option(metavar="en|zh|both", help="In what findings and lessons are told."),
    ] = Language.EN,
) -> None:
    """Tell where one deal turned, why, and what to learn from it."""
    at = terminal(context)
    wanted = layout or _layout_of(output)
    with at.opened() as store, Progress("Learning from decided deals", "months") as progress:
        instants = at.instants(store, as_of, known_at)
        report = postmortem_of(at.readable(store, deal), instants, progress.reached)
    if wanted is Layout.JSON:
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(report)).decode() + "\n"
    else:
        from api.pages.postmortem import html, markdown

        written = html if wanted is Layout.HTML else markdown
        text = written(report, at.zone, language=language)
    hand_over(text, output)
    if wanted is not Layout.JSON:
        note_caveats(report.caveats)


def _layout_of(output: Path | None) -> Layout:
    if output is None:
        return Layout.MARKDOWN
    found = _BY_SUFFIX.get(output.suffix.lower())
    if found is None:
        raise typer.BadParameter(
            f"{output} does not end in .html, .md or .json; name a --format",
            param_hint="'--output'",
        )
    return found
