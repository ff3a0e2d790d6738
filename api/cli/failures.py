"""How failures are told on the terminal."""

from typing import NoReturn

import typer

from api.cli.output import note
from api.problems import MEANINGS, ON_THE_COMMAND_LINE, failure_of
from domain.refusals import Refusal


def report(error: Exception) -> bool:
    """Tell the failure: what is wrong, its code, what to do. False for a fault of the program."""
    failure = failure_of(error)
    if failure is None:
        return False
    said = "Refused" if isinstance(error, Refusal) else "Error"
    note(f"{said} ({failure.code}): {failure.detail}")
    if failure.advice:
        note(failure.advice)
    return True


def exit_code(error: Exception) -> int:
    """How a command ends: 3 where the log contradicts what it has signed, 1 for everything else."""
    from store.notary import LogContradicted

    return 3 if isinstance(error, LogContradicted) else 1


def fail(code: str, detail: str, advice: str | None = None, exit_code: int = 1) -> NoReturn:
    """Tell a failure that only the command line knows, and end."""
    assert code in ON_THE_COMMAND_LINE or code in MEANINGS
    note(f"Error ({code}): {detail}")
    if advice:
        note(advice)
    raise typer.Exit(exit_code)
