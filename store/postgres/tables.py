"""The tables of a log on PostgreSQL, the functions that append to it, and its locks.

They are in a schema of their own, which is the search path of every connection.
Texts are compared by their bytes (COLLATE "C"), as on SQLite, whatever the
language of the database.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import LiteralString

from psycopg.sql import SQL, Composed, Identifier, Literal

from store.postgres.errors import VERSION_GAP

MARK = "dealstate log "
"""The comment on the schema begins so; behind it stands the version of the tables."""

SCHEMA_VERSION = 2

FIRST_SCHEMA_VERSION = 1
"""Tables of this version and later ones are brought to the present one when they are opened."""

_EVENTS = """
CREATE TABLE stored_events (
    position bigint PRIMARY KEY,
    originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    UNIQUE (originator_id, originator_version)
)
"""
_COMMANDS = """
CREATE TABLE commands (
    principal text COLLATE "C" NOT NULL,
    command_id text COLLATE "C" NOT NULL,
    fingerprint bytea,
    stream text COLLATE "C" NOT NULL,
    first_version bigint NOT NULL,
    last_version bigint NOT NULL,
    recorded_at text NOT NULL,
    PRIMARY KEY (principal, command_id)
)
"""
_TILES = """
CREATE TABLE tiles (
    level integer NOT NULL,
    number bigint NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (level, number)
)
"""
_EDGE = "CREATE TABLE edge (position bigint PRIMARY KEY, hash bytea NOT NULL)"
_CHECKPOINTS = """
CREATE TABLE checkpoints (
    size bigint PRIMARY KEY,
    note text NOT NULL,
    made_at text NOT NULL
)
"""
_PROPERTIES = "CREATE TABLE properties (name text PRIMARY KEY, value text NOT NULL)"

_CHANNEL = "dealstate_"

# One round trip appends the events of some commands. What must precede them is looked for
# before the lock, for nothing that was committed goes away. The lock is held until the commit,
# and the statements behind it see all that was committed before it was given. Who listens is told
# once it has committed.
_APPEND = """
CREATE OR REPLACE FUNCTION append(
    _lock bigint, _preceding_streams text[], _preceding_versions bigint[],
    _streams text[], _versions bigint[], _topics text[], _states bytea[], _leaves bytea[],
    _principals text[], _command_ids text[], _fingerprints bytea[], _named text[],
    _first_versions bigint[], _last_versions bigint[], _recorded_at text[]
) RETURNS bigint LANGUAGE plpgsql AS $body$
DECLARE
    _head bigint;
BEGIN
    FOR at IN 1 .. cardinality(_preceding_streams) LOOP
        PERFORM 1 FROM stored_events WHERE originator_id = _preceding_streams[at]
            AND originator_version = _preceding_versions[at];
        IF NOT FOUND THEN
            RAISE EXCEPTION '% has no version %', _preceding_streams[at], _preceding_versions[at]
                USING ERRCODE = {version_gap};
        END IF;
    END LOOP;
    PERFORM pg_advisory_xact_lock(_lock);
    SELECT coalesce(max(position), 0) INTO _head FROM stored_events;
    IF cardinality(_principals) > 0 THEN
        INSERT INTO commands SELECT * FROM unnest(_principals, _command_ids, _fingerprints, _named,
            _first_versions, _last_versions, _recorded_at);
    END IF;
    INSERT INTO stored_events
        SELECT _head + place, stream, version, topic, state
        FROM unnest(_streams, _versions, _topics, _states)
            WITH ORDINALITY AS added(stream, version, topic, state, place);
    INSERT INTO edge
        SELECT _head + place, hash FROM unnest(_leaves) WITH ORDINALITY AS added(hash, place);
    IF cardinality(_streams) > 0 THEN
        PERFORM pg_notify({channel} || _lock, '');
    END IF;
    RETURN _head + cardinality(_streams);
END
$body$
"""

# The same of one event and its command, if any, since plain values take far less time than arrays.
_APPEND_ONE = """
CREATE OR REPLACE FUNCTION append_one(
    _lock bigint, _stream text, _version bigint, _topic text, _state bytea, _leaf bytea,
    _principal text, _command_id text, _fingerprint bytea, _named text,
    _first_version bigint, _last_version bigint, _recorded_at text
) RETURNS bigint LANGUAGE plpgsql AS $body$
DECLARE
    _position bigint;
BEGIN
    IF _version > 1 THEN
        PERFORM 1 FROM stored_events
            WHERE originator_id = _stream AND originator_version = _version - 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION '% has no version %', _stream, _version - 1
                USING ERRCODE = {version_gap};
        END IF;
    END IF;
    PERFORM pg_advisory_xact_lock(_lock);
    SELECT coalesce(max(position), 0) + 1 INTO _position FROM stored_events;
    IF _principal IS NOT NULL THEN
        INSERT INTO commands VALUES (_principal, _command_id, _fingerprint, _named,
            _first_version, _last_version, _recorded_at);
    END IF;
    INSERT INTO stored_events VALUES (_position, _stream, _version, _topic, _state);
    INSERT INTO edge VALUES (_position, _leaf);
    PERFORM pg_notify({channel} || _lock, '');
    RETURN _position;
END
$body$
"""

_FIRST_APPEND_DIGEST = "258a76782832d31447137fdf426a6eaf204bd961fd01fb5327b722a130dc829a"
"""SHA-256 of the body of `append` in tables of version 1."""

_CHANGES = (_APPEND, _APPEND_ONE, "COMMENT ON SCHEMA {schema} IS {mark}")
_CREATION = (
    "CREATE SCHEMA IF NOT EXISTS {schema}",
    *(_EVENTS, _COMMANDS, _TILES, _EDGE, _CHECKPOINTS, _PROPERTIES),
    *_CHANGES,
)


def creation(schema: str) -> list[Composed]:
    """The statements that make the tables, for a connection whose search path is the schema."""
    return _filled(schema, _CREATION)


def changes(schema: str) -> list[Composed]:
    """The statements that bring the tables of an earlier version to the present one."""
    return _filled(schema, _CHANGES)


def _filled(schema: str, statements: Sequence[LiteralString]) -> list[Composed]:
    names = {
        "schema": Identifier(schema),
        "version_gap": Literal(VERSION_GAP),
        "mark": Literal(f"{MARK}{SCHEMA_VERSION}"),
        "channel": Literal(_CHANNEL),
    }
    return [SQL(statement).format(**names) for statement in statements]


def not_as_made(version: int, found: Iterable[tuple[str, str, str]]) -> list[str]:
    """What of the objects of a schema is not as tables of that version are made, a sentence each.

    `found` are kind, name and text of each; the text is the body of a function, else empty.
    """
    there = {(kind, name, _digest(text)) for kind, name, text in found}
    made = _objects(version)
    return [
        *(f"the {kind} {name} is not one of the log" for kind, name, _ in sorted(there - made)),
        *(f"the {kind} {name} is not as it was made" for kind, name, _ in sorted(made - there)),
    ]


def _objects(version: int) -> set[tuple[str, str, str]]:
    """Kind, name and digest of the text of all that is in the schema of a log."""
    tables = ("stored_events", "commands", "tiles", "edge", "checkpoints", "properties")
    functions = {"append": _digest(_body(_APPEND)), "append_one": _digest(_body(_APPEND_ONE))}
    if version == FIRST_SCHEMA_VERSION:
        functions = {"append": _FIRST_APPEND_DIGEST}
    return {
        *(("table", name, _digest("")) for name in tables),
        *(("function", name, digest) for name, digest in functions.items()),
    }


def _body(function: LiteralString) -> str:
    [filled] = _filled("", [function])
    return filled.as_string().split("$body$")[1]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def lock_id(purpose: str, schema: str) -> int:
    """The id of an advisory lock: 64 bits of a hash, so that schemas have locks of their own."""
    digest = hashlib.sha256(f"dealstate:{purpose}:{schema}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def channel(schema: str) -> str:
    """The name of the notifications of appends; `append` makes it from the id of its lock."""
    return f"{_CHANNEL}{lock_id('log', schema)}"
