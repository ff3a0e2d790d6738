"""Which deals, as options name them: dimensions and their values; and which options go together."""

from collections.abc import Iterable
from typing import Annotated

import typer

from projections.pipeline import DIMENSIONS

Where = Annotated[
    list[str] | None,
    typer.Option(
        metavar="DIM=VALUE",
        help="Only deals with this value; an empty one finds deals without. Owners by id or name."
        " May be given again, for another dimension.",
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
        name = dimension(name, "--where")
        if name in wanted:
            raise typer.BadParameter(
                f"{name} is given twice; name one value, and ask again for the other",
                param_hint="'--where'",
            )
        wanted[name] = value
    return wanted


def refuse_any(why: str, **options: object) -> None:
    """Raise BadParameter for the first of these options that is given."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise typer.BadParameter(why, param_hint=f"'--{name.replace('_', '-')}'")
