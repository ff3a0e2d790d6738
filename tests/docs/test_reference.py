"""The reference is what the code says, and leaves nothing out."""

import re
import shlex
from enum import StrEnum
from typing import get_args
from xml.etree import ElementTree

import msgspec
import pytest

from api.cli.root import COMMANDS
from api.commands import BY_NAME, decode_command, facts_of, fields_of, summary
from api.meanings import EVERYWHERE, beside, field_meaning, meaning
from api.problems import MEANINGS, ON_THE_COMMAND_LINE
from domain.deal import COMMAND_TYPES
from domain.history import Fact, stored_name
from domain.intent import Command, command_name
from domain.process import SalesProcess
from domain.process_files import built_in_processes
from domain.refusals import every_refusal
from store.events.codec import REGISTERED
from tests.docs.reference import PAGES, page
from tests.docs.reference.events import members, stored, values
from tests.docs.reference.played import BesideCommand, set_up
from tests.docs.reference.stages import picture
from tests.golden.openapi import document

_SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)

BESIDE_COMMANDS = get_args(BesideCommand)
MIRRORED_BY: dict[type, list[type[Fact]]] = {
    **{command: facts_of(command) for command in COMMAND_TYPES},
    **{type(command): [type(event.fact)] for command, event in set_up()},
}
VALUES = sorted(values(), key=lambda one: one.__name__)
STRUCTS = [
    *REGISTERED,
    *COMMAND_TYPES,
    *BESIDE_COMMANDS,
    *(one for one in VALUES if issubclass(one, msgspec.Struct)),
]
CHOICES = [one for one in VALUES if issubclass(one, StrEnum)]


def written(name: str) -> str:
    return page(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert written(name) == PAGES[name](), "renew it with: python -m tests.docs.reference"


def test_every_command_line_is_documented() -> None:
    assert [name for name in COMMANDS if f"\n## {name}\n" not in written("cli.md")] == []
    assert "\n## audit trail\n" in written("cli.md")
    assert "\n## process check\n" in written("cli.md")


def test_every_route_is_documented() -> None:
    routes = [
        f"{method.upper()} {path}"
        for path, methods in document()["paths"].items()
        for method in methods
    ]
    assert [route for route in routes if f"\n## {route}\n" not in written("http.md")] == []


def test_every_code_is_documented_once() -> None:
    codes = [refusal.code for refusal in every_refusal()]
    codes += [*MEANINGS, *ON_THE_COMMAND_LINE]
    assert len(set(codes)) == len(codes)
    text = written("refusals.md")
    assert [code for code in codes if text.count(f"| `{code}` |") != 1] == []


@pytest.mark.parametrize("name", BY_NAME)
def test_every_command_is_documented_once(name: str) -> None:
    assert headings("commands.md").count(name) == 1
    (line,) = _SHELL.findall(section("commands.md", name))
    program, record, _, given, _, data = shlex.split(line)
    assert (program, record, given) == ("dealstate", "record", name)
    assert isinstance(decode_command(name, data.encode()), BY_NAME[name])


@pytest.mark.parametrize("command", BESIDE_COMMANDS, ids=command_name)
def test_every_command_beside_the_deals_is_documented_once(command: type[Command]) -> None:
    name = command_name(command)
    assert headings("commands.md").count(name) == 1
    (line,) = re.findall(r"^dealstate (\w+ [\w-]+)", section("commands.md", name), re.MULTILINE)
    assert line in headings("cli.md")


@pytest.mark.parametrize("fact_type", REGISTERED, ids=stored_name)
def test_every_event_is_documented_once(fact_type: type) -> None:
    name = stored_name(fact_type)
    assert headings("events.md").count(name) == 1
    told = section("events.md", name)
    assert f'"type": "{name}"' in told
    assert [
        f.encode_name for f in fields_of(fact_type) if f"\n| `{f.encode_name}` |" not in told
    ] == []


def test_every_value_is_documented_once() -> None:
    assert [one for one in VALUES if headings("events.md").count(one.__name__) != 1] == []


@pytest.mark.parametrize("name", ["commands.md", "events.md"])
def test_every_link_leads_to_a_heading(name: str) -> None:
    links = re.findall(r"\]\(([a-z]+\.md|)#([^)]+)\)", written(name))
    assert links
    known = {target: {one.lower() for one in headings(target or name)} for target, _ in links}
    assert [(target, anchor) for target, anchor in links if anchor not in known[target]] == []


def headings(name: str) -> list[str]:
    return re.findall(r"^##+ (.+)$", written(name), re.MULTILINE)


def section(name: str, heading: str) -> str:
    """What stands under a heading of the third level."""
    return written(name).partition(f"\n### {heading}\n")[2].partition("\n##")[0]


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_type_and_every_field_has_a_meaning(struct: type) -> None:
    assert meaning(struct)
    owners = [struct, *MIRRORED_BY.get(struct, ())]
    assert [f.name for f in fields_of(struct) if not field_meaning(f, owners)] == []


def test_every_value_has_a_meaning() -> None:
    assert [one.__name__ for one in VALUES if not meaning(one)] == []


@pytest.mark.parametrize("choices", CHOICES, ids=lambda one: one.__name__)
def test_choices_are_explained_all_or_by_their_name(choices: type) -> None:
    assert len({bool(words) for words in members(choices).values()}) == 1


def test_no_common_meaning_is_left_over() -> None:
    names = {field.name for struct in STRUCTS for field in fields_of(struct)}
    assert EVERYWHERE.keys() <= names


def test_meanings_stand_under_the_fields_and_members() -> None:
    opened = next(one for one in REGISTERED if stored_name(one) == "opportunity-opened")
    assert beside(opened)["reference"] == "Id of the deal in the system it came from."
    assert "name" not in beside(opened)
    assert summary(BY_NAME["add-note"]) == "Add a remark."


def test_what_was_stored_in_earlier_schemas_is_told() -> None:
    told = section("events.md", "opportunity-won")
    assert "Schema 2. From schema 1 to 2: one `reason` became a list of `reasons`." in told
    assert "From schema" not in section("events.md", "opportunity-lost")


def test_what_is_personal_or_secret_is_marked() -> None:
    assert "| **Personal.** What was said. |" in section("events.md", "contact-made")
    assert "| **Secret.** The values we aim for. |" in section("events.md", "negotiation-opened")


@pytest.mark.parametrize("fact_type", REGISTERED, ids=stored_name)
def test_an_example_is_of_its_type_and_schema(fact_type: type) -> None:
    name = stored_name(fact_type)
    assert f'"fact":{{"type":"{name}"'.encode() in stored(fact_type)


@pytest.mark.parametrize("process", list(built_in_processes()), ids=lambda process: process.id)
def test_a_picture_shows_the_stages_in_order(process: SalesProcess) -> None:
    drawn = ElementTree.fromstring(picture(process))
    texts = ["".join(one.itertext()) for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    shown = [text for text in texts if text in {stage.id for stage in process.stages}]
    assert shown == [stage.id for stage in process.stages]
    assert [f"{stage.probability} %" for stage in process.stages] == [
        text for text in texts if text.endswith(" %")
    ]
    assert sum("and the signature" in text for text in texts) == 1
    guide = page("processes.md").read_text(encoding="utf-8")
    assert f"(stages/{process.id}.svg)" in guide
