"""Plots that commands write on request."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.pages.charts.style import Spec

PLOTTED = (".svg", ".png")


def _of_a_kind(path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in PLOTTED:
        raise typer.BadParameter(f"{path} has to end in {' or '.join(PLOTTED)}")
    return path


Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        callback=_of_a_kind,
        help="Also draw it into a new file, FILE.svg or FILE.png.",
    ),
]


def plot(path: Path | None, chart: "Callable[[], Spec]") -> None:
    """Draw the chart into the file that was asked for, if one was."""
    if path is None:
        return
    from api.cli.files import hand_over_file
    from api.pages.charts.render import png, svg

    spec = chart()
    hand_over_file(svg(spec) if path.suffix.lower() == ".svg" else png(spec), path)
