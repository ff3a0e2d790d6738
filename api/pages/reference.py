"""The documentation of the HTTP service as HTML, from its own description: without scripts."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

import msgspec

from api.problem_pages import ABOVE, ProblemPage

STYLE = """\
:root { color-scheme: light dark; }
body {
  font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  overflow-wrap: break-word;
}
code, pre { font: 0.95em ui-monospace, monospace; }
code { overflow-wrap: anywhere; }
pre {
  white-space: pre-wrap; padding: 0.75rem; border-radius: 0.25rem;
  background: color-mix(in srgb, currentColor 8%, transparent);
}
nav ul { columns: 26rem; column-gap: 2rem; list-style: none; padding: 0; }
nav li { break-inside: avoid; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; }
td:first-child code { white-space: nowrap; }
tr + tr td { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
h2 { margin-top: 2.5rem; }
h3 { margin-top: 2rem; }
h3 code { font-size: 1em; }
:target { scroll-margin-top: 1rem; }
@media (max-width: 40rem) {
  body { margin-top: 1rem; }
  tr { display: block; padding: 0.4rem 0; }
  td { display: block; padding-right: 0; }
  td:first-child code { white-space: normal; }
  tr + tr { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
  tr + tr td { border-top: 0; }
}
"""

_ELSEWHERE = f"""\
<p>As a document: <a href="/openapi.json">openapi.json</a>.
What can go wrong: <a href="{ABOVE}">problems</a>.</p>
"""
_OF_PROBLEMS = """\
<p>Every answer that is not a success is a problem (RFC 9457) with one of these codes.
They never change; its <code>type</code> leads to the page of the code.</p>
"""
_PROBLEM = "application/problem+json"
_CODE = re.compile(r"`([^`]+)`")
_MADE_OF = ("anyOf", "oneOf", "allOf")


# The service.


def service(document: Mapping[str, Any]) -> str:
    """Every route with its parameters and bodies, every schema with its fields."""
    told = document["info"]
    routes = [
        (operation.get("tags", ["other"])[0], method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    groups = {
        tag: list(found)
        for tag, found in groupby(sorted(routes, key=_group_of(routes)), lambda one: one[0])
    }
    schemas = [_schema(*item) for item in document["components"]["schemas"].items()]
    body = [
        f"<h1>{escape(told['title'])} {escape(told['version'])}</h1>",
        paragraphs(told["description"]),
        _ELSEWHERE,
        _contents(groups),
        *(_section(tag, found) for tag, found in groups.items()),
        '<h2 id="schemas">Schemas</h2>',
        *schemas,
    ]
    return page(f"{told['title']} over HTTP", body)


def _group_of(routes: Sequence[tuple[str, str, str, Any]]) -> Any:
    """The groups in the order in which each comes first."""
    order = {tag: at for at, (tag, *_) in reversed(list(enumerate(routes)))}
    return lambda one: order[one[0]]


def _contents(groups: Mapping[str, Sequence[tuple[str, str, str, Any]]]) -> str:
    parts = []
    for tag, routes in groups.items():
        items = [
            f'<li><a href="#{escape(operation["operationId"])}">'
            f"<code>{method.upper()} {escape(path)}</code></a></li>"
            for _, method, path, operation in routes
        ]
        parts.append(
            f"<details><summary>{escape(tag)} ({len(items)})</summary>"
            f"<ul>{''.join(items)}</ul></details>"
        )
    return f'<nav aria-label="Routes">{"".join(parts)}<p><a href="#schemas">Schemas</a></p></nav>'


def _section(tag: str, routes: Iterable[tuple[str, str, str, Any]]) -> str:
    shown = [_route(path, method, operation) for _, method, path, operation in routes]
    return f"<h2>{escape(tag.capitalize())}</h2>{''.join(shown)}"


def _route(path: str, method: str, operation: Mapping[str, Any]) -> str:
    rows = [
        [
            f"<code>{escape(parameter['name'])}</code>",
            escape(f"{parameter['in']}{', required' if parameter.get('required') else ''}"),
            _type(parameter["schema"]),
            marked(parameter.get("description", "")),
        ]
        for parameter in operation.get("parameters", [])
    ]
    words = paragraphs(operation.get("description", ""))
    return (
        f'<h3 id="{escape(operation["operationId"])}">'
        f"<code>{escape(method.upper())} {escape(path)}</code></h3>"
        f"{words}{table(rows)}{_body(operation.get('requestBody'))}"
        f"{''.join(_answers(operation['responses']))}"
    )


def _body(body: Mapping[str, Any] | None) -> str:
    """What is sent, with an example."""
    if body is None:
        return ""
    parts = []
    for media_type, content in body["content"].items():
        schema = content.get("schema", {})
        needed = "" if body.get("required") else ", if anything"
        parts.append(f"<p>Takes {_type(schema)} as {escape(media_type)}{needed}.</p>")
        example = content.get("example", next(iter(schema.get("examples", [])), None))
        if example is not None:
            parts.append(json_text(example))
    return "".join(parts)


def _answers(responses: Mapping[str, Any]) -> Iterable[str]:
    """What comes back; that anything may be answered with a problem is said once, above."""
    for status, answer in responses.items():
        if "$ref" in answer:
            continue
        kinds = answer.get("content", {})
        if status == "default" and list(kinds) == [_PROBLEM]:
            continue
        shown = [_type(content.get("schema", {})) for content in kinds.values()]
        what = f": {shown[0]}" if shown else ""
        also = f" Also as {escape(', '.join(list(kinds)[1:]))}." if len(kinds) > 1 else ""
        yield f"<p>Answers {escape(status)}{what}. {marked(answer['description'])}{also}</p>"


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    words = paragraphs(_words(schema))
    if "enum" in schema:
        choices = ", ".join(f"<code>{escape(str(choice))}</code>" for choice in schema["enum"])
        rows = f"<p>One of {choices}.</p>"
    elif "properties" not in schema and any(key in schema for key in _MADE_OF):
        rows = f"<p>One of {_type(schema)}.</p>"
    else:
        rows = table([_property(*item) for item in schema.get("properties", {}).items()])
    example = next(iter(schema.get("examples", [])), None)
    shown = "" if example is None else json_text(example)
    return f'<h3 id="{escape(name)}">{escape(name)}</h3>{words}{rows}{shown}'


def _words(schema: Mapping[str, Any]) -> str:
    words: str = schema.get("description", "")
    return words


def _property(name: str, schema: Mapping[str, Any]) -> list[str]:
    return [f"<code>{escape(name)}</code>", _type(schema), marked(_words(schema))]


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, with links."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for key in _MADE_OF:
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


# The problems.


def problems(pages: Iterable[ProblemPage]) -> str:
    """Every code that a problem can have."""
    found = list(pages)
    body = [
        _up("/docs", "Documentation"),
        "<h1>Problems</h1>",
        _OF_PROBLEMS,
        "<h2>Of the service</h2>",
        _codes([one for one in found if not one.is_refusal]),
        "<h2>Refusals by a rule of the domain</h2>",
        _codes([one for one in found if one.is_refusal]),
    ]
    return page("Problems", body)


def _codes(pages: Iterable[ProblemPage]) -> str:
    return table(
        [
            [
                f'<a href="{escape(one.example.type)}"><code>{escape(one.code)}</code></a>',
                str(one.example.status),
                escape(one.meaning),
            ]
            for one in pages
        ]
    )


def problem(one: ProblemPage) -> str:
    """What a code means, why it happens, what to do, and an example."""
    kind = "A refusal by a rule of the domain: nothing was recorded." if one.is_refusal else ""
    body = [
        _up(ABOVE, "Problems"),
        f"<h1><code>{escape(one.code)}</code></h1>",
        f"<p>{escape(one.meaning)}</p>",
        f"<p>Status {one.example.status} {escape(one.example.title)}. {kind}</p>",
        f"<h2>Why it happens</h2><p>{marked(one.why)}</p>",
        f"<h2>What to do</h2><p>{marked(one.do)}</p>",
        f"<h2>An example</h2>{json_text(msgspec.to_builtins(one.example))}",
    ]
    return page(f"Problem: {one.code}", body)


# All pages.


def _up(address: str, name: str) -> str:
    return f'<nav><a href="{address}">{name}</a></nav>'


def page(title: str, body: Iterable[str]) -> str:
    """A whole page."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>"
        '<link rel="stylesheet" href="/docs/style.css"></head>'
        f"<body><main>{''.join(body)}</main></body></html>"
    )


def marked(text: str) -> str:
    """A text, what stands in it between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def paragraphs(text: str) -> str:
    """A text of several paragraphs."""
    return "".join(f"<p>{marked(part)}</p>" for part in text.split("\n\n") if part)


def table(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells that are HTML already; nothing for none."""
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{lines}</table>" if lines else ""


def json_text(value: Any) -> str:
    """JSON as it may be sent."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return f"<pre><code>{escape(text)}</code></pre>"
