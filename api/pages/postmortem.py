"""The post-mortem as a page: self-contained HTML that prints, and Markdown.

Everything is in the answer `PostMortem`; here it is put into words and pictures.
"""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from api.pages.charts.contacts import contacts
from api.pages.charts.curve import curve
from api.pages.charts.ladder import ladder
from api.pages.charts.negotiation import negotiation
from api.pages.charts.people import people
from api.pages.charts.render import svg
from api.pages.charts.style import Spec
from api.pages.language import Language
from api.pages.markup import escaped
from api.pages.wording import PostMortemWords
from api.plain import clean_lines
from api.wire.postmortems import PostMortem

Draw = Callable[[Spec], str]


def html(
    report: PostMortem, zone: ZoneInfo, draw: Draw = svg, *, language: Language = Language.EN
) -> str:
    """One file without anything beside it: styles and charts are inside."""
    words = PostMortemWords(report, zone, language)
    shown = {"charts": _charts(report, draw), "negotiations": _negotiations(words, draw)}
    page = _templates().get_template("postmortem.html").render(**words.all(), **shown)
    return clean_lines(page)


def markdown(report: PostMortem, zone: ZoneInfo, *, language: Language = Language.EN) -> str:
    """The same without charts."""
    words = PostMortemWords(report, zone, language)
    shown = {"negotiations": words.negotiations()}
    templates = _templates().overlay(finalize=_without_markup)
    return clean_lines(templates.get_template("postmortem.md").render(**words.all(), **shown))


def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("api.pages"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )


def _without_markup(value: object) -> object:
    return escaped(value) if isinstance(value, str) else value


def _charts(report: PostMortem, draw: Draw) -> dict[str, Markup | None]:
    specs: dict[str, Spec | None] = {
        "curve": curve(report),
        "ladder": ladder(report),
        "contacts": contacts(report),
        "map_at_best": people(report.map_at_best) if report.map_at_best else None,
        "map_at_the_end": people(report.map_at_the_end),
    }
    # What Vega draws is markup; texts inside it were escaped by Vega.
    return {name: Markup(draw(spec)) if spec else None for name, spec in specs.items()}  # noqa: S704


def _negotiations(words: PostMortemWords, draw: Draw) -> list[dict[str, Any]]:
    return [
        {**told, "charts": [Markup(draw(spec)) for spec in negotiation(ledger)]}  # noqa: S704
        for told, ledger in zip(
            words.negotiations(), words.report.negotiations.negotiations, strict=True
        )
    ]
