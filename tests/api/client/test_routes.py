"""The client has a method for every route, and needs no part of the server."""

import subprocess
import sys

from api.administration import ROOMS
from api.client import Client
from api.client.client import room_of
from tests.api.client.generation import (
    BY_HAND,
    FOLDER,
    NOT_OFFERED,
    all_routes,
    formatted,
    is_left_out,
    methods,
    of_commands,
    offers,
    written,
)


def test_the_methods_are_those_that_are_generated() -> None:
    """To write them anew: python -m tests.api.client.generation."""
    texts = written()
    assert {path.name for path in FOLDER.glob("*.py")} == set(texts)
    stale = {
        name
        for name, text in texts.items()
        if formatted(text) != (FOLDER / name).read_text(encoding="utf-8")
    }
    assert stale == set()


def test_every_route_has_a_method() -> None:
    offered = {(one.path, method) for one in offers() for method in methods(one.route)}
    by_hand = {(path, "GET") for path in BY_HAND} | {(path, "POST") for path in of_commands()}
    for route in all_routes():
        if not is_left_out(route):
            for method in methods(route):
                assert (route.path, method) in offered | by_hand
    names = [one.name for one in offers()] + list(BY_HAND.values())
    assert len(names) == len(set(names))
    assert all(callable(getattr(Client, name)) for name in names)
    paths = {route.path for route in all_routes()}
    assert set(BY_HAND) | set(NOT_OFFERED) | of_commands() <= paths


def test_commands_beside_the_deals_go_where_their_routes_stand() -> None:
    for room in ROOMS:
        assert {room_of(kind) for kind in room.commands} == {room.name}


def test_it_needs_no_part_of_the_server() -> None:
    code = "import sys, api.client; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    server = {"fastapi", "starlette", "uvicorn", "pydantic", "typer", "jinja2", "api.app"}
    assert loaded & server == set()
    assert not any(name.startswith(("api.routes", "api.queries")) for name in loaded)
