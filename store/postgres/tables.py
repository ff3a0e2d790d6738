"""The tables of a log on PostgreSQL, the function that appends to it, and its locks.

They are in a schema of their own, which is the search path of every connection.
Texts are compared by their bytes (COLLATE "C"), as on SQLite, whatever the
language of the database.
"""

import hashlib

from psycopg.sql import SQL, Composed, Identifier, Literal

from store.postgres.errors import VERSION_GAP

MARK = "dealstate log "
"""The comment on the schema begins so; behind it stands the version of the tables."""

SCHEMA_VERSION = 1

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

# One round trip appends the events of some commands. What must precede them is looked for
# before the lock, for nothing that was committed goes away. The lock is held until the commit,
# and the statements behind it see all that was committed before it was given.
_APPEND = """
CREATE FUNCTION append(
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
    RETURN _head + cardinality(_streams);
END
$body$
"""

_CREATION = (
    "CREATE SCHEMA IF NOT EXISTS {schema}",
    *(_EVENTS, _COMMANDS, _TILES, _EDGE, _CHECKPOINTS, _PROPERTIES, _APPEND),
    "COMMENT ON SCHEMA {schema} IS {mark}",
)


def creation(schema: str) -> list[Composed]:
    """The statements that make the tables, for a connection whose search path is the schema."""
    names = {
        "schema": Identifier(schema),
        "version_gap": Literal(VERSION_GAP),
        "mark": Literal(f"{MARK}{SCHEMA_VERSION}"),
    }
    return [SQL(statement).format(**names) for statement in _CREATION]


def objects() -> set[tuple[str, str, str]]:
    """Kind, name and text of all that is in the schema of a log, where it has one."""
    tables = ("stored_events", "commands", "tiles", "edge", "checkpoints", "properties")
    append = next(one.as_string() for one in creation("") if "FUNCTION append" in one.as_string())
    return {*(("table", name, "") for name in tables), ("function", "append", _body(append))}


def _body(function: str) -> str:
    return function.split("$body$")[1]


def lock_id(purpose: str, schema: str) -> int:
    """The id of an advisory lock: 64 bits of a hash, so that schemas have locks of their own."""
    digest = hashlib.sha256(f"dealstate:{purpose}:{schema}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
