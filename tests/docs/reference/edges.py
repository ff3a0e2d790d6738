"""The references of the edges: command line, HTTP, refusals."""

import re
from collections.abc import Iterator
from inspect import getdoc
from typing import Any

from typer import Context
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from api.cli.root import COMMANDS, app
from api.problems import MEANINGS, ON_THE_COMMAND_LINE
from domain.refusals import every_refusal
from tests.docs.reference.markdown import MADE
from tests.golden.openapi import document

_CLI = f"""\
# The command line

{MADE}
`dealstate COMMAND --help` prints the same; [Commands](commands.md) has what `record` takes. Global
options stand before or behind the command. Text goes to people; `--format json` is for programs: it
prints exactly what [HTTP](http.md) answers with, and every key is always there. Answers go to
standard output, everything said beside them (notes, progress, errors) to standard error. Tables fit
the width of a terminal; in a pipe they are plain and never cut. Colours and bold follow `NO_COLOR`.

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | refused, or not found; [refusals](refusals.md) lists the codes |
| 2 | the command line itself is wrong |
| 3 | verification failed: by `rebuild --check`, `audit fsck`, `audit verify` or a kept checkpoint |
"""

_REFUSALS = f"""\
# Refusals and problems

{MADE}
A command that breaks a rule is refused: nothing is recorded, and the refusal says what would
satisfy the rule. On the command line it is printed with its code, and the exit code is 1. Over HTTP
every answer that is not a success is a problem (RFC 9457) whose `code` is one of these; its `type`
leads to the page `/docs/problems` of the server. Codes never change.

## Refusals by a rule

The numbers are those of [the rules](rules.md).

| code | rule | meaning |
| --- | --- | --- |
"""

_HTTP = f"""\
# HTTP

{MADE}
`dealstate serve` answers to whoever sends an API key, or a token of the identity provider:
`Authorization: Bearer …` ([who may do what](access.md#over-http)), or has a
[session](sessions.md). `/livez`, `/readyz`, `/docs` and `/openapi.json` take none. How to use all
of this: [a tutorial](http-tutorial.md), [asking](http-queries.md), [recording](http-commands.md),
[following events](feed.md), [webhooks](webhooks.md), [administration](administration.md).

It answers to the names `localhost`, `127.0.0.1` and `[::1]`, and to
those that it is given. `/docs` on the server lists every route and schema, and `/openapi.json` is
the OpenAPI 3.1 document. Answers are JSON; `dealstate COMMAND --format json` prints the same.

- Times are written in UTC with six digits: `2026-11-21T22:05:00.000000Z`. A parameter takes a day
  (its end, in the store's time zone), a date and time, or `now`; write the `+` of an offset as
  `%2B`.
- Amounts are objects: `{{"amount": "1054.00", "currency": "USD"}}`, the number as text with the
  currency's minor digits. Weighted amounts have two digits more.
- Users are objects with `id` and `name`; the name is null for a user who is not in the directory.
- Every key is always present; what is not known is null. Only `fact`, which shows an event as it is
  stored, leaves out fields at their default.
- A listing that goes on has a `cursor` and a `Link` header with `rel="next"`.
- Every answer holds all that was recorded before the request. On routes that list it, a request
  header `Dealstate-Wait-For: deal:d-1@7` names an event, by stream and version, that the answer has
  to include as well; where the log does not show it within three seconds, the answer is 504
  (`event-not-recorded`). It names up to 20 events, with commas between, and parameters are checked
  before they are waited for. Answers
  from [read models](read-models.md) say in `Dealstate-Position` up to which position of the log
  they hold everything; what came later may be in them too.
- A request holds at most 1 MiB; beyond it the answer is 413.
- Errors are problem details, whose `type` is a page of the server, `/docs/problems/CODE`;
  [refusals](refusals.md) lists the codes.
"""


def command_line() -> str:
    """The help of every command."""
    parts = [_CLI, _section("dealstate", ())]
    parts += [_section(" ".join(path), path) for path in _paths()]
    return "\n".join(parts)


def _paths() -> Iterator[tuple[str, ...]]:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    for name in COMMANDS:
        yield (name,)
        command = root.get_command(Context(root), name)
        if isinstance(command, TyperGroup):
            yield from ((name, inner) for inner in command.commands)


def _section(title: str, path: tuple[str, ...]) -> str:
    result = CliRunner().invoke(
        app, [*path, "--help"], prog_name="dealstate", env={"COLUMNS": "100"}
    )
    assert result.exit_code == 0, result.output
    text = "\n".join(line.rstrip() for line in result.stdout.strip().splitlines())
    return f"## {title}\n\n```text\n{text}\n```\n"


def refusals() -> str:
    """Every code with its meaning."""
    rows = [_rule(refusal.code, getdoc(refusal) or "") for refusal in every_refusal()]
    return "".join(
        [
            _REFUSALS,
            *rows,
            "\n## Other problems\n\n| code | meaning |\n| --- | --- |\n",
            *(f"| `{code}` | {words} |\n" for code, words in MEANINGS.items()),
            "\n## Only on the command line\n\n| code | meaning |\n| --- | --- |\n",
            *(f"| `{code}` | {words} |\n" for code, words in ON_THE_COMMAND_LINE.items()),
        ]
    )


def _rule(code: str, words: str) -> str:
    found = re.match(r"(?:Rule (\d+)|Corrections): ", words)
    meaning = words[found.end() :] if found else words
    rule = (found[1] or "corrections") if found else ""
    return f"| `{code}` | {rule} | {meaning[0].upper()}{meaning[1:]} |\n"


def http() -> str:
    """Every route with its parameters."""
    parts = [_HTTP]
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            parts.append(_route(f"{method.upper()} {path}", operation))
    return "\n".join(parts)


def _route(title: str, operation: dict[str, Any]) -> str:
    text = f"## {title}\n\n{operation['description']}{_answer(operation['responses'])}\n"
    if "requestBody" in operation:
        text += f"\n{_body(operation['requestBody']['content'])}\n"
    parameters = operation.get("parameters", [])
    if parameters:
        text += "\n| parameter | |\n| --- | --- |\n"
    return text + "".join(f"| `{p['name']}` | {p['description']} |\n" for p in parameters)


def _answer(responses: dict[str, Any]) -> str:
    """In which shape, or as what, an operation answers."""
    for status, told in responses.items():
        if status.startswith("2"):
            kinds = told.get("content", {})
            shape = kinds.get("application/json", {}).get("schema", {}).get("$ref")
            if shape is not None:
                return f" Answers with `{shape.rpartition('/')[2]}`."
            return f" Answers as {' or '.join(f'`{one}`' for one in kinds)}." if kinds else ""
    raise AssertionError("an operation that never succeeds")


def _body(kinds: dict[str, Any]) -> str:
    """What a request has to hold."""
    shape = kinds.get("application/json", {}).get("schema", {}).get("$ref")
    if shape is not None:
        return f"Takes `{shape.rpartition('/')[2]}`."
    return f"Takes {' or '.join(f'`{one}`' for one in kinds)}."
