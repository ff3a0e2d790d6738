"""The OpenAPI document: routes from FastAPI, schemas from the types of the wire."""

import ast
import inspect
from functools import cache
from textwrap import dedent
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.routes.common import ANSWERS
from api.routes.door import OPEN

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
        for path in OPEN & set(found["paths"]):
            for operation in found["paths"][path].values():
                operation["security"] = []
        return found

    app.openapi = document  # type: ignore[method-assign]


def schemas() -> dict[str, Any]:
    """The schemas of every answer, with the words that stand beside the fields."""
    types = list(ANSWERS.values())
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
    return dict(sorted(components.items()))


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
            tree = ast.parse(dedent(inspect.getsource(base)))
            found |= _docs_in(tree.body[0])
    return found


def _docs_in(definition: ast.stmt) -> dict[str, str]:
    assert isinstance(definition, ast.ClassDef)
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
