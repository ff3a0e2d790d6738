"""The documentation of the HTTP service: pages made from its own description, without scripts."""

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.problems import MEANINGS
from domain.refusals import every_refusal

router = APIRouter(prefix="/docs", include_in_schema=False)

_STYLE = """\
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font: 0.95em ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; }
tr + tr td { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
h2 { margin-top: 2.5rem; }
h3 { margin-top: 2rem; }
"""


_ELSEWHERE = """\
<p>As a document: <a href="/openapi.json">openapi.json</a>.
What can go wrong: <a href="/docs/problems">problems</a>.</p>
"""


@router.get("/style.css")
def style() -> Response:
    """The look of the pages."""
    return Response(_STYLE, media_type="text/css")


@router.get("")
def routes_and_schemas(request: Request) -> HTMLResponse:
    """Every route with its parameters, every schema with its fields."""
    document = request.app.openapi()
    routes = [
        _route(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = [_schema(name, schema) for name, schema in document["components"]["schemas"].items()]
    body = [
        f"<h1>{escape(document['info']['title'])} {escape(document['info']['version'])}</h1>",
        *(f"<p>{escape(part)}</p>" for part in document["info"]["description"].split("\n\n")),
        _ELSEWHERE,
        "<h2>Routes</h2>",
        *routes,
        "<h2>Schemas</h2>",
        *schemas,
    ]
    return _page("dealstate over HTTP", body)


@router.get("/problems")
def problems() -> HTMLResponse:
    """Every code that a problem can have."""
    rows = [(refusal.code, refusal.__doc__ or "") for refusal in every_refusal()]
    body = [
        "<h1>Problems</h1>",
        "<p>Every answer that is not a success is a problem (RFC 9457) with one of these.</p>",
        "<h2>Of the service</h2>",
        _codes(list(MEANINGS.items())),
        "<h2>Refusals by a rule of the domain</h2>",
        _codes(rows),
    ]
    return _page("Problems", body)


def _codes(rows: list[tuple[str, str]]) -> str:
    cells = [
        f'<tr id="{escape(code)}"><td><code>{escape(code)}</code></td><td>{escape(words)}</td></tr>'
        for code, words in rows
    ]
    return f"<table>{''.join(cells)}</table>"


def _page(title: str, body: list[str]) -> HTMLResponse:
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title>"
        '<link rel="stylesheet" href="/docs/style.css"></head>'
        f"<body><main>{''.join(body)}</main></body></html>"
    )


def _route(path: str, method: str, operation: dict[str, Any]) -> str:
    answer = operation["responses"]["200"]
    kind, *others = answer["content"]
    content = answer["content"][kind]
    rows = [
        [
            f"<code>{escape(parameter['name'])}</code>",
            escape(f"{parameter['in']}{', required' if parameter.get('required') else ''}"),
            _type(parameter["schema"]),
            escape(parameter.get("description", "")),
        ]
        for parameter in operation.get("parameters", [])
    ]
    return (
        f"<h3><code>{escape(method.upper())} {escape(path)}</code></h3>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        f"{_table(rows)}"
        f"<p>Answers with {_type(content['schema'])}:"
        f" {escape(answer['description'])}{_as(others)}</p>"
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    words = escape(schema.get("description", ""))
    if "enum" in schema:
        choices = ", ".join(f"<code>{escape(str(choice))}</code>" for choice in schema["enum"])
        rows = f"<p>One of {choices}.</p>"
    else:
        rows = _table([_property(*item) for item in schema.get("properties", {}).items()])
    return f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{words}</p>{rows}'


def _property(name: str, schema: dict[str, Any]) -> list[str]:
    return [
        f"<code>{escape(name)}</code>",
        _type(schema),
        escape(schema.get("description", "")),
    ]


def _table(rows: list[list[str]]) -> str:
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{lines}</table>" if rows else ""


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words, with links."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(_type(part) for part in schema[key])
    if "const" in schema or "enum" in schema:
        choices = schema.get("enum", [schema.get("const")])
        return ", ".join(f"<code>{escape(str(choice))}</code>" for choice in choices)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return escape(str(schema.get("format", schema.get("type", "any"))))


def _as(media_types: list[str]) -> str:
    """As what else an answer can be had."""
    return f" Also as {escape(', '.join(media_types))}." if media_types else ""
