"""The models that there are, by name."""

from collections.abc import Iterable

from projections import audit, deals, periods
from projections.models import ReadModel

MODELS: tuple[ReadModel, ...] = (audit, deals, periods)


class NoSuchModel(ValueError):
    """There is no read model of this name."""


def named(names: Iterable[str]) -> tuple[ReadModel, ...]:
    """The models of these names, in the order of MODELS; all without any. Raises NoSuchModel."""
    wanted = set(names)
    unknown = wanted - {model.NAME for model in MODELS}
    if unknown:
        known = ", ".join(model.NAME for model in MODELS)
        raise NoSuchModel(f"there is no read model {min(unknown)!r}; there are {known}")
    return tuple(model for model in MODELS if not wanted or model.NAME in wanted)
