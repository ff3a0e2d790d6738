"""Which deals, as options name them: dimensions and their values."""

from collections.abc import Iterable

import typer

from projections.pipeline import DIMENSIONS


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
