"""What all groups of commands have in common."""

from typing import Annotated, Any

import typer


def commands(**settings: Any) -> typer.Typer:
    """A group whose help is plain text."""
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        **settings,
    )


AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIME", help="What was true then.", show_default="now"),
]
KnownAt = Annotated[
    str | None,
    typer.Option(
        "--known-at", metavar="TIME", help="What was known then.", show_default="all that is known"
    ),
]
WantedDeal = Annotated[
    str,
    typer.Argument(
        metavar="DEAL", help="A deal by id, reference or the start of its name.", show_default=False
    ),
]
WantedUser = Annotated[
    str, typer.Argument(metavar="USER", help="A user by id or name.", show_default=False)
]
"""Arguments and options that several commands take."""
