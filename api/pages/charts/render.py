"""Charts as SVG or PNG, by the Vega-Lite of vl-convert: no browser and no network."""

from typing import Any

from api.pages.charts.style import Spec
from api.plain import clean


def svg(spec: Spec) -> str:
    """The chart as one `<svg>` element."""
    # Loaded where it is needed: it brings a JavaScript engine along.
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(_shown(spec))
    return drawn


def png(spec: Spec) -> bytes:
    """The chart as a picture, two pixels for each of its points, on white."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(
        _shown({**spec, "config": {**spec.get("config", {}), "background": "white"}}), scale=2
    )
    return drawn


def _shown(part: Any) -> Any:
    """A part of a specification with its texts as people may see them.

    vl-convert ends the whole process at a character that XML cannot hold.
    """
    match part:
        case str():
            return clean(part)
        case dict():
            return {name: _shown(value) for name, value in part.items()}
        case list():
            return [_shown(value) for value in part]
        case _:
            return part
