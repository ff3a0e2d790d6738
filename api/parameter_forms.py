"""What the texts in a query, a path or a header look like, for the OpenAPI document.

The routes read them by functions that tell what is wrong with one. Here stands what those
functions take, as far as a schema can say it: that a day is in the calendar it cannot say.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from api.queries.calibrations import MOST_LEADS
from api.queries.events import known_types
from api.queries.flows import TOLD_APART_BY
from api.queries.listing import SORTS
from api.routes.common import MOST_AWAITED
from api.routes.selecting import names_below, names_of
from api.wire.events import TYPE_PREFIX
from domain.currencies import MINOR_DIGITS
from domain.history import StreamKind
from projections.findings.book import BOOK
from projections.forecast.months import OVERDUE, UNDATED
from projections.losses import Dimension
from projections.operating.asking import TEAM
from projections.pipeline import DIMENSIONS
from projections.waterfall.steps import END, LINES, NAMES, START

_YEAR = "(19|[2-8][0-9]|9[0-8])[0-9]{2}"
_MONTH = f"{_YEAR}-(0[1-9]|1[0-2])"
_DAY = f"{_MONTH}-(0[1-9]|[12][0-9]|3[01])"
_ANY_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_OFFSET = "([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])"
_KINDS = "|".join(StreamKind)
_HEX = "[0-9A-Fa-f]"
_TAIL = f"%[89ABab]{_HEX}"
_ENCODED = (
    f"%(0[1-9A-Fa-f]|[1-7]{_HEX}|([Cc][2-9A-Fa-f]|[Dd]{_HEX}){_TAIL}"
    f"|([Ee]0%[ABab]{_HEX}|[Ee][1-9A-Ca-cEeFf]{_TAIL}|[Ee][Dd]%[89]{_HEX}){_TAIL}"
    f"|([Ff]0%[9ABab]{_HEX}|[Ff][1-3]{_TAIL}|[Ff]4%8{_HEX}){_TAIL}{_TAIL})"
)
"""A character, percent-encoded as UTF-8 (RFC 3629, 4). None is U+0000."""
_EVENT = f"({_KINDS}):([!-$&-+.-~-]|{_ENCODED})+@[1-9][0-9]{{0,17}}"
"""Any ASCII but blanks, the comma, which stands between events, and the percent sign."""


def _either(names: Iterable[str]) -> str:
    return f"({'|'.join(names)})"


def _listed(names: Iterable[str], *, least: int = 0) -> Mapping[str, Any]:
    """Some of these names, with commas between; blanks around one do not count."""
    one = rf"\s*{_either(names)}\s*"
    some = f"{one}(,{one})*"
    return {"pattern": f"^{some}$" if least else rf"^({some})?$"}


TIME = {
    "pattern": f"^([Nn][Oo][Ww]|{_ANY_DAY}([T ]{_CLOCK} ?{_OFFSET}?)?)$",
    "examples": ["now", "2026-03-31", "2026-03-31T14:05:00+02:00"],
}
PERIOD = {
    "pattern": rf"^((FY)?{_YEAR}(-?Q[1-4])?|{_MONTH}|{_DAY}\.\.{_DAY})$",
    "examples": ["2026", "2026-Q1", "2026-03", "2026-01-01..2026-03-31"],
}
CURRENCY = {"$ref": "#/components/schemas/CurrencyCode"}
SCHEMAS = {
    "CurrencyCode": {
        "type": "string",
        "description": "A currency, by its code of ISO 4217.",
        "enum": sorted(MINOR_DIGITS),
    }
}
"""The schemas that the forms name, beside those of the wire."""
CURSOR = {"pattern": "^[A-Za-z0-9_-]+$"}
SEGMENT = {"pattern": "^[^/]+$"}
"""A part of a path."""
SEGMENTS = {
    "account": "a-1",
    "deal_id": "d-1",
    "process_id": "key-account",
    "unit_id": "west",
    "user_id": "anna",
    "webhook_id": "w-1",
}
"""Each part of a path that is a text, with an example."""

BY_NAME: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(
        (
            *("as_of", "known_at", "since", "until", "against", "against_known_at"),
            "occurred_at",
        ),
        TIME,
    ),
    **dict.fromkeys(("period", "closing"), PERIOD),
    **dict.fromkeys(("reporting_currency",), CURRENCY),
    "month": {"pattern": f"^{_MONTH}$", "examples": ["2026-03"]},
    "close": {"pattern": f"^({_MONTH}|{OVERDUE}|{UNDATED})$", "examples": ["2026-04"]},
    "cursor": CURSOR,
    "sort": {"pattern": f"^-?{_either(SORTS)}$"},
    "rule": _listed(sorted(rule.id for rule in BOOK)),
    "lead": {"pattern": rf"^\s*[0-9]+\s*(,\s*[0-9]+\s*){{0,{MOST_LEADS - 1}}}$"},
    "line": {"enum": list(dict.fromkeys([*NAMES, *map(str, (START, *LINES, END))]))},
    "types": {
        "pattern": "^{one}(,{one})*$".format(
            one=rf"\s*({TYPE_PREFIX[:-1]}\.)?{_either(sorted(known_types()))}\s*"
        )
    },
    "stream": {"pattern": rf"^({_KINDS}):[^\x00]+$", "examples": ["deal:d-1"]},
    "Dealstate-Wait-For": {
        "pattern": f"^{_EVENT}( *, *{_EVENT}){{0,{MOST_AWAITED - 1}}}$",
        "examples": ["deal:d-1@7", "deal:d-1@7, user:anna@2"],
    },
    "Last-Event-ID": {"pattern": "^[0-9]{0,19}$"},
}
"""By the name of a parameter, which means the same wherever it stands."""

_DIMENSIONS = _listed(DIMENSIONS)
GROUP_BY: Mapping[str, Mapping[str, Any]] = {
    "/v1/calibration": _DIMENSIONS,
    "/v1/figures": _listed((TEAM, *DIMENSIONS)),
    "/v1/flow/outcomes": {"enum": list(TOLD_APART_BY)},
    "/v1/flow/survival": {"enum": list(TOLD_APART_BY)},
    "/v1/forecast": _DIMENSIONS,
    "/v1/losses": _listed(Dimension),
    "/v1/pipeline": _DIMENSIONS,
    "/v1/waterfall": _DIMENSIONS,
    "/v1/waterfall/deals": _DIMENSIONS,
}
"""What `group_by` takes, by path."""


def tell_forms(path: str, operation: Mapping[str, Any], shape: type[msgspec.Struct] | None) -> None:
    """Say of each text that a request may hold what it looks like.

    `shape` is what the operation answers with, of which `fields` names parts.
    """
    for parameter in operation.get("parameters", []):
        schema, name = parameter["schema"], parameter["name"]
        if schema.get("type") != "string" or schema.keys() & {"enum", "format", "pattern"}:
            continue
        if name == "fields" and shape is not None:
            schema["pattern"] = _fields(shape)
        elif name == "group_by":
            schema.update(GROUP_BY[path])
        elif parameter["in"] == "path":
            schema.update(SEGMENT)
            schema["examples"] = [SEGMENTS[name]]
        elif (form := BY_NAME.get(name)) is CURRENCY:
            schema.pop("type")
            schema.pop("maxLength", None)
            schema.update(CURRENCY)
        elif form is not None:
            schema.update(form)


@cache
def _fields(shape: type[msgspec.Struct]) -> str:
    """Paths with commas between, which begin with fields of the shape."""
    below = r"(\.[a-z0-9_]+)*"
    names = [
        f"{name}{below if names_below(kinds) else ''}" for name, kinds in names_of(shape).items()
    ]
    return f"^{_either(names)}(,{_either(names)})*$"
