"""Writes the methods of the client from the routes of the service.

    python -m tests.api.client.generation

Each module of `api/client/routes` has the routes of one tag.
"""

import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from inspect import cleandoc
from pathlib import Path
from textwrap import wrap
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIRouter
from pydantic import BaseModel

from api.administration import ROOMS
from api.app import GROUPS
from api.routes.answering import ANSWERS
from api.routes.conditions import BODIES, KEY, MATCH
from domain.intent import command_name

FOLDER = Path(__file__).parents[3] / "api" / "client" / "routes"
WIDTH = 100

BY_HAND = {"/v1/events": "events", "/v1/events/stream": "follow"}
"""Routes whose methods are written by hand, and what these are called."""

NOT_OFFERED = {
    "/openapi.json": "the description of the service",
    "/metrics": "for Prometheus",
    "/v1/session": "sessions are for browsers; a client sends its key",
}
"""Routes that no method is for, and why. What stands below /docs is for people."""

_UNWANTED = {"wanted", "format", "language"}
"""A typed answer is whole, and JSON."""
_SAFE = ("api.wire.", "domain.")
"""Modules that the client may import."""


class Offer(NamedTuple):
    """One route, as the client offers it."""

    route: APIRoute
    name: str

    @property
    def path(self) -> str:
        return self.route.path

    @property
    def is_read(self) -> bool:
        return self.route.methods == {"GET"}

    @property
    def tag(self) -> str:
        return str((self.route.tags or ["service"])[0])


def all_routes() -> list[APIRoute]:
    """Every route of the service."""
    return [route for group in GROUPS for route in _routes_of(group.router)]


def _routes_of(router: APIRouter) -> Iterator[APIRoute]:
    """Those of routers within it too."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from _routes_of(route.original_router)  # type: ignore[attr-defined]


def methods(route: APIRoute) -> set[str]:
    return set(route.methods or ()) - {"HEAD"}


def is_of_commands(route: APIRoute) -> bool:
    """Whether `record`, `open_deal` or `configure` sends it."""
    return "POST" in methods(route) and route.path in of_commands()


def of_commands() -> set[str]:
    """The paths of `record`, `open_deal` and `configure`."""
    beside = {f"/v1/{room.name}/{command_name(kind)}" for room in ROOMS for kind in room.commands}
    on_deals = {route.path for route in all_routes() if "commands" in route.tags}
    return (beside - {"/v1/organisation/issue-api-key"}) | on_deals


def is_left_out(route: APIRoute) -> bool:
    return route.path in NOT_OFFERED or route.path.startswith("/docs")


def offers() -> list[Offer]:
    """The routes that get a method of their own."""
    return [
        Offer(route, str(route.name))
        for route in all_routes()
        if not (is_of_commands(route) or route.path in BY_HAND or is_left_out(route))
    ]


class Module:
    """A module that is being written."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.imports: set[tuple[str, str]] = {("api.client.asking", "Routes")}
        self.dictionaries: dict[str, str] = {}
        self.methods: list[str] = []

    def named(self, kind: Any) -> str:
        """A type, by its name, which is imported."""
        if kind.__module__ == "builtins":
            return str(kind.__name__)
        self.imports.add((kind.__module__, kind.__name__))
        return str(kind.__name__)

    def typed(self, kind: Any) -> str:
        """An annotation."""
        origin = get_origin(kind)
        if kind is NoneType or kind is None:
            return "None"
        if origin is Annotated:
            return self.typed(get_args(kind)[0])
        if origin in {Union, UnionType}:
            return " | ".join(self.typed(one) for one in get_args(kind))
        if origin is Literal:
            self.imports.add(("typing", "Literal"))
            return f"Literal[{', '.join(map(repr, get_args(kind)))}]"
        if origin is not None:
            inner = ", ".join("..." if one is ... else self.typed(one) for one in get_args(kind))
            return f"{self.named(origin)}[{inner}]"
        if isinstance(kind, type) and issubclass(kind, Enum):
            if kind.__module__.startswith(_SAFE):
                return self.named(kind)
            self.imports.add(("typing", "Literal"))
            return f"Literal[{', '.join(repr(one.value) for one in kind)}]"
        if kind is Any:
            self.imports.add(("typing", "Any"))
            return "Any"
        return self.named(kind)

    def text(self) -> str:
        by_module: dict[str, set[str]] = {}
        for module, name in self.imports:
            by_module.setdefault(module, set()).add(name)
        lines = [
            f"from {module} import {', '.join(sorted(names))}"
            for module, names in by_module.items()
        ]
        head = f'"""Routes of {self.tag!r}. Written by tests/api/client/generation.py."""'
        body = "\n\n".join(self.methods)
        named = class_name(self.tag)
        return "\n".join(
            [
                *(head, "", *sorted(lines), "", "", *self.dictionaries.values()),
                *(f"class {named}(Routes):", f'    """Routes of {self.tag!r}."""', "", body, ""),
            ]
        )


def class_name(tag: str) -> str:
    return "".join(part.title() for part in tag.split("-")) + "Routes"


def written() -> dict[str, str]:
    """The text of each module by its name, before it is formatted."""
    modules: dict[str, Module] = {}
    for offer in offers():
        module = modules.setdefault(offer.tag, Module(offer.tag))
        _add(module, offer)
    found = {f"{tag.replace('-', '_')}.py": one.text() for tag, one in modules.items()}
    imports = [
        f"from api.client.routes.{tag.replace('-', '_')} import {class_name(tag)}"
        for tag in modules
    ]
    bases = ", ".join(class_name(tag) for tag in sorted(modules))
    found["__init__.py"] = "\n".join(
        [
            '"""A method for each route. Written by tests/api/client/generation.py."""',
            "",
            *sorted(imports),
            "",
            "",
            f"class EveryRoute({bases}):",
            '    """A method for each route that is no command on a deal or beside the deals."""',
            "",
        ]
    )
    return found


def _fields(offer: Offer) -> Iterator[tuple[str, str, Any]]:
    """The query parameters: name in Python, name in the address, type."""
    for given in offer.route.dependant.query_params:
        kind = given.field_info.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        for name, field in kind.model_fields.items():
            if name not in _UNWANTED:
                yield name, field.alias or name, field.annotation


def _headers(offer: Offer) -> set[str]:
    return set(_headers_of(offer.route.dependant))


def _headers_of(dependant: Dependant) -> Iterator[str]:
    yield from (one.alias for one in dependant.header_params)
    for inner in dependant.dependencies:
        yield from _headers_of(inner)


def _shape(offer: Offer) -> type[msgspec.Struct]:
    told = [one for one in (offer.route.responses or {}).values() if "x-shape" in one]
    return ANSWERS[told[0]["x-shape"]]


def _body(offer: Offer) -> Any:
    """The type of the body; None where there is none."""
    if offer.route.body_field is not None:
        return offer.route.body_field.field_info.annotation
    content = (offer.route.openapi_extra or {}).get("requestBody", {}).get("content", {})
    for media_type, told in content.items():
        if media_type == "application/json":
            return BODIES[told["schema"]["$ref"].rpartition("/")[2]]
        return bytes
    return None


def _add(module: Module, offer: Offer) -> None:
    shape = module.named(_shape(offer))
    fields = list(_fields(offer))
    places = list(offer.route.param_convertors)
    arguments = ["self", *(f"{name}: {_place(offer, name)}" for name in places)]
    body, headers = _body(offer), _headers(offer)
    if body is not None:
        arguments.append(f"body: {_body_type(module, body)}")
    options = [f"{n}: {t} | None = None" for n, t in _options(headers, offer)]
    arguments += ["*", *options] if options else []
    if fields:
        arguments.append(f"**parameters: Unpack[{_dictionary(module, offer, fields)}]")
    words = _words(cleandoc(offer.route.endpoint.__doc__ or offer.route.description))
    path = _path(module, offer, places)
    call = _call(offer, shape, path, fields, headers)
    module.methods.append(
        f"    def {offer.name}({', '.join(arguments)}) -> {shape}:\n"
        f'        """{words}"""\n'
        f"        return {call}"
    )
    _add_walk(module, offer, shape, path, arguments)


def _words(docstring: str) -> str:
    """A docstring as it stands in a method; what is too long for one line is broken."""
    first, *more = docstring.split("\n\n")
    lines = wrap(" ".join(first.split()), WIDTH - 14)
    for paragraph in more:
        lines += ["", *wrap(" ".join(paragraph.split()), WIDTH - 8)]
    indented = "\n".join(f"        {line}".rstrip() for line in lines).strip()
    return f"{indented}\n        " if len(lines) > 1 else indented


def _options(headers: set[str], offer: Offer) -> list[tuple[str, str]]:
    if offer.is_read:
        return []
    named = [("key", "str", KEY), ("if_version", "int", MATCH)]
    return [(name, kind) for name, kind, header in named if header in headers]


def _place(offer: Offer, name: str) -> str:
    """The type of a part of the path."""
    given = {one.alias: one.field_info.annotation for one in offer.route.dependant.path_params}
    return "int" if given.get(name) is int else "str"


def _body_type(module: Module, body: Any) -> str:
    if body is bytes:
        return "bytes"
    if isinstance(body, type) and body.__module__.startswith(_SAFE):
        return module.named(body)
    module.imports |= {("collections.abc", "Mapping"), ("typing", "Any")}
    return "Mapping[str, Any]"


def _dictionary(module: Module, offer: Offer, fields: list[tuple[str, str, Any]]) -> str:
    """The type of the query parameters, which several routes may share."""
    (given,) = offer.route.dependant.query_params
    name = str(getattr(given.field_info.annotation, "__name__", ""))
    module.imports |= {("typing", "TypedDict"), ("typing", "Unpack")}
    lines = [f"    {python}: {module.typed(kind)}" for python, _, kind in fields]
    text = "\n".join([f"class {name}(TypedDict, total=False):", *lines, "\n"])
    assert module.dictionaries.setdefault(name, text) == text, f"two kinds of {name}"
    return name


def _path(module: Module, offer: Offer, places: list[str]) -> str:
    path = offer.path
    for name in places:
        path = path.replace(f"{{{name}}}", f"{{segment({name})}}")
        module.imports.add(("api.client.sending", "segment"))
    return f'f"{path}"' if places else f'"{path}"'


def _call(
    offer: Offer, shape: str, path: str, fields: list[tuple[str, str, Any]], headers: set[str]
) -> str:
    given = "parameters" if fields else "{}"
    renamed = {python: alias for python, alias, _ in fields if python != alias}
    named = f", named={renamed!r}" if renamed else ""
    if offer.is_read:
        return f"self._read({path}, {shape}, {given}{named})"
    sent = "body" if _body(offer) is not None else "{}"
    how = "_write" if KEY in headers else "_ask"
    options = "".join(f", {name}={name}" for name, _ in _options(headers, offer))
    return f"self.{how}({path}, {shape}, {sent}, {given}{named}{options})"


def _add_walk(module: Module, offer: Offer, shape: str, path: str, arguments: list[str]) -> None:
    """A method that goes through all pages, where there are several."""
    hints = get_type_hints(_shape(offer))
    lists = [(name, kind) for name, kind in hints.items() if get_origin(kind) is list]
    if "cursor" not in hints or not offer.is_read:
        return
    name, kind = lists[0]
    item = module.typed(get_args(kind)[0])
    module.imports.add(("collections.abc", "Iterator"))
    called = f"each_of_{offer.name.removeprefix('list_')}"
    module.methods.append(
        f"    def {called}({', '.join(arguments)}) -> Iterator[{item}]:\n"
        f'        """All of `{offer.name}`, page by page."""\n'
        f'        return self._each({path}, {shape}, "{name}", parameters)'
    )


def formatted(text: str) -> str:
    """As ruff writes it."""
    for command in (["check", "--fix", "--quiet", "--select", "I"], ["format"]):
        text = subprocess.run(
            [Path(sys.executable).with_name("ruff"), *command, "--stdin-filename", "api/x.py", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return text


def main() -> None:
    """Write the modules."""
    FOLDER.mkdir(exist_ok=True)
    texts = written()
    for old in FOLDER.glob("*.py"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(formatted(text), encoding="utf-8")


if __name__ == "__main__":
    main()
