"""Who may ask what: a module per group of routes, with the rows of its routes.

A module has `ACCESS`, the statuses by route and caller, and may have `BODIES`, what is sent to a
route that takes a body, `QUERIES` and `HEADERS`, what a route has to be given of these, and
`VALUES`, what stands for a parameter of the path. Anna, the seller, owns the deal d-anna; Bo owns
none. Mei manages her unit, Eva another. `first` is who has the first key of a store, `idle` has no
role, `record` is Anna by a key that is good to record alone.

All rows are asked of one store: none may change what another row rests on.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from tests.api.small_store import PROCESS

_MODULES = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]

VALUES: dict[str, str] = {"deal_id": "d-anna", "version": "1", "process_id": PROCESS.id}
BODIES: dict[str, Any] = {}
QUERIES: dict[str, dict[str, str]] = {}
HEADERS: dict[str, dict[str, str]] = {}
for _module in _MODULES:
    VALUES |= getattr(_module, "VALUES", {})
    BODIES |= getattr(_module, "BODIES", {})
    QUERIES |= getattr(_module, "QUERIES", {})
    HEADERS |= getattr(_module, "HEADERS", {})


def table() -> dict[tuple[str, str], int]:
    """The status of each answer, by route and caller."""
    found: dict[tuple[str, str], int] = {}
    for module in _MODULES:
        head, *lines = module.ACCESS.strip("\n").splitlines()
        callers = head.split("|")[1].split()
        for line in lines:
            route, cells = line.split("|")
            told = zip(callers, map(int, cells.split()), strict=True)
            found |= {(route.strip(), who): code for who, code in told}
    return found
