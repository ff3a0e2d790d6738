"""The OpenAPI document: routes from FastAPI, schemas from the types of the wire."""

import ast
import inspect
import sys
from functools import cache
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.around.door import OPEN
from api.commands import facts_of, fields_of
from api.meanings import field_meaning
from api.parameter_forms import SCHEMAS, tell_forms
from api.possible_statuses import components as problem_responses
from api.possible_statuses import tell_statuses
from api.routes.answering import ANSWERS, describe_answers
from api.routes.common import LONGEST_PARAMETER
from api.routes.conditions import BODIES, REQUIRED
from domain.intent import Command

_TEMPLATE = "#/components/schemas/{name}"
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, or a token of the identity provider.",
}


def describe(app: FastAPI) -> None:
    """Let the service describe itself with the schemas of the wire."""

    @cache
    def document() -> dict[str, Any]:
        found = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        components = found.setdefault("components", {})
        components.setdefault("schemas", {}).update(schemas())
        components["securitySchemes"] = {"bearer": _BEARER}
        found["security"] = [{"bearer": []}]
        components["responses"] = problem_responses()
        shapes = describe_answers(found)
        for path, methods in found["paths"].items():
            for method, operation in methods.items():
                _plain_parameters(operation)
                tell_forms(path, operation, shapes.get((path, method)))
                tell_statuses(path, method, operation, is_open=path in OPEN)
                if path in OPEN:
                    operation["security"] = []
        _limit_texts(found)
        return found

    app.openapi = document  # type: ignore[method-assign]


def _limit_texts(document: dict[str, Any]) -> None:
    """The length that `Parameters` sets for those texts of a query that have none of their own."""
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    for operation in operations:
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            if schema.get("type") == "string" and not schema.keys() & _LIMITED_BY:
                schema["maxLength"] = LONGEST_PARAMETER


_LIMITED_BY = {"maxLength", "enum", "const", "format"}


def schemas() -> dict[str, Any]:
    """The schemas of every answer and body, with the words that stand beside the fields."""
    types = list((ANSWERS | BODIES).values())
    _, components = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
    for component in components.values():
        if "description" in component:
            # Python before 3.13 keeps the indentation of a docstring.
            component["description"] = inspect.cleandoc(component["description"])
    for found in _structs(types):
        properties = components.get(found.__name__, {}).get("properties", {})
        for name, words in field_docs(found).items():
            if name in properties:
                properties[name] = _described(properties[name], words)
    for name, kind in BODIES.items():
        _as_sent(components[name], kind)
    return dict(sorted((components | SCHEMAS).items()))


def _as_sent(schema: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    """The address says which command a body is; its fields mirror those of the facts."""
    owners = [kind, *(facts_of(kind) if issubclass(kind, Command) else [])]
    properties = schema.get("properties", {})
    if kind.__struct_config__.tag is not None:
        properties.pop(kind.__struct_config__.tag_field, None)
        schema["required"] = [name for name in schema["required"] if name in properties]
    for field in fields_of(kind):
        words = field_meaning(field, owners)
        if words:
            properties[field.encode_name] = _described(properties[field.encode_name], words)


def _plain_parameters(operation: dict[str, Any]) -> None:
    """What may be left out of a query or the headers is never null: both hold texts alone.

    Also says which headers a route requires by itself.
    """
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        kinds = [one for one in schema.pop("anyOf", []) if one != {"type": "null"}]
        assert len(kinds) <= 1, f"{parameter['name']} is of several kinds"
        for kind in kinds:
            schema.update(kind)
        if schema.pop(REQUIRED, False):
            parameter["required"] = True


def _structs(types: list[type[msgspec.Struct]]) -> list[type[msgspec.Struct]]:
    """The types and all structs that their fields hold."""
    found: dict[type[msgspec.Struct], None] = {}

    def visit(kind: msgspec.inspect.Type) -> None:
        match kind:
            case msgspec.inspect.StructType(cls=cls, fields=fields) if cls not in found:
                found[cls] = None
                for field in fields:
                    visit(field.type)
            case msgspec.inspect.UnionType(types=parts):
                for part in parts:
                    visit(part)
            case (
                msgspec.inspect.ListType(item_type=item)
                | msgspec.inspect.VarTupleType(item_type=item)
            ):
                visit(item)
            case msgspec.inspect.DictType(value_type=value):
                visit(value)
            case msgspec.inspect.Metadata(type=inner):
                visit(inner)
            case _:
                pass

    for one in types:
        visit(msgspec.inspect.type_info(one))
    return list(found)


def _described(schema: dict[str, Any], words: str) -> dict[str, Any]:
    """A reference has no room for words beside it in older readers, so it is wrapped."""
    if "$ref" in schema:
        return {"allOf": [schema], "description": words}
    return {**schema, "description": words}


def field_docs(struct: type[msgspec.Struct]) -> dict[str, str]:
    """The text that stands under each field in the source."""
    found: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        if issubclass(base, msgspec.Struct) and base is not msgspec.Struct:
            definition = _classes(base.__module__).get(base.__qualname__)
            found |= _docs_in(definition) if definition is not None else {}
    return found


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    """The classes of a module, as they stand in its source; read once for all of them."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {one.name: one for one in tree.body if isinstance(one, ast.ClassDef)}


def _docs_in(definition: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                found[name] = inspect.cleandoc(words).replace("\n", " ")
            case _:
                pass
    return found
