"""Groups of figures, as tables and CSV show them."""

from collections.abc import Mapping, Sequence

from api.cli import shown
from api.cli.output import plain
from api.wire.values import User


def group_text(name: str, value: str | User | None, stages: Mapping[str, str]) -> str:
    """The value of a dimension in a table; stages by their names."""
    match value:
        case None:
            return "(none)"
        case User():
            return shown.person(value)
        case str():
            return stages.get(value, value) if name == "stage" else value


def group_cell(value: str | User | None) -> object:
    """The value of a dimension in CSV; nothing where there is none."""
    return shown.person(value) if isinstance(value, User) else plain(value)


def unsaid(labels: Sequence[Sequence[str]]) -> list[list[str]]:
    """The labels of rows; what a row shares with the one above is not said again, but its last."""
    above: Sequence[Sequence[str]] = [[], *labels]
    return [_unsaid(label, before) for label, before in zip(labels, above, strict=False)]


def _unsaid(label: Sequence[str], before: Sequence[str]) -> list[str]:
    shared = 0
    while shared < min(len(before), len(label) - 1) and label[shared] == before[shared]:
        shared += 1
    return ["" if place < shared else value for place, value in enumerate(label)]
