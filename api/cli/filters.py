"""Which deals, as options name them: dimensions and their values."""

from collections.abc import Iterable
from typing import Annotated

import typer

from projections.pipeline import DIMENSIONS

Where = Annotated[
    list[str] | None,
    typer.Option(
        metavar="DIM=VALUE",
        help="Only deals with this value; an empty one finds deals without. Owners by id or name."
        " May be given again.",
    ),
]


def dimensions(text: str, option: str = "--by") -> list[str]:
    """Dimensions with commas between, each once; none for an empty text."""
    names = [dimension(name, option) for name in text.split(",") if name.strip()]
    return list(dict.fromkeys(names))


def dimension(name: str, option: str) -> str:
    """The dimension that an option names, written with hyphens or underscores."""
    name = name.strip().replace("-", "_")
    if name not in DIMENSIONS:
        raise typer.BadParameter(
            f"there is no dimension {name!r}; use {', '.join(DIMENSIONS)}", param_hint=f"'{option}'"
        )
    return name


def conditions(given: Iterable[str]) -> dict[str, str]:
    """Dimensions and their values, as --where gives them."""
    wanted = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(
                f"{text!r} is not of the form DIM=VALUE, as in region=West", param_hint="'--where'"
            )
        wanted[dimension(name, "--where")] = value
    return wanted
