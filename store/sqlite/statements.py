"""The tables of a log in an SQLite file, and every statement on them."""

EVENTS = """
CREATE TABLE stored_events (
    position INTEGER PRIMARY KEY,
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    UNIQUE (originator_id, originator_version)
) STRICT
"""
COMMANDS = """
CREATE TABLE commands (
    principal TEXT NOT NULL,
    command_id TEXT NOT NULL,
    fingerprint BLOB,
    stream TEXT NOT NULL,
    first_version INTEGER NOT NULL,
    last_version INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (principal, command_id)
) STRICT, WITHOUT ROWID
"""
TILES = """
CREATE TABLE tiles (
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT, WITHOUT ROWID
"""
EDGE = "CREATE TABLE edge (position INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT"
CHECKPOINTS = """
CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY,
    note TEXT NOT NULL,
    made_at TEXT NOT NULL
) STRICT
"""
PROPERTIES = "CREATE TABLE properties (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"

TABLES = (EVENTS, COMMANDS, TILES, EDGE, CHECKPOINTS, PROPERTIES)

INSERT_EVENT = """
INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?)
"""
INSERT_COMMAND = "INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?)"
SELECT_COMMAND = "SELECT * FROM commands WHERE principal = ? AND command_id = ?"
SELECT_COMMANDS = """
SELECT * FROM commands WHERE (principal, command_id) > (?, ?)
ORDER BY principal, command_id LIMIT ?
"""
CLEAR_FINGERPRINT = """
UPDATE commands SET fingerprint = NULL
WHERE stream = ? AND ? BETWEEN first_version AND last_version AND fingerprint IS NOT NULL
"""
CLEAR_QUIET = """
UPDATE commands SET fingerprint = NULL
WHERE stream = ? AND first_version > last_version AND fingerprint IS NOT NULL
"""
SELECT_VERSION = """
SELECT 1 FROM stored_events WHERE originator_id = ? AND originator_version = ?
"""
SELECT_HEAD = "SELECT max(originator_version) FROM stored_events WHERE originator_id = ?"
SELECT_EVENT = """
SELECT position, state FROM stored_events WHERE originator_id = ? AND originator_version = ?
"""
SELECT_STREAM = """
SELECT originator_id, originator_version, topic, state FROM stored_events
WHERE originator_id = ? AND originator_version > ? ORDER BY originator_version
"""
SELECT_STREAMS = """
SELECT originator_id, originator_version, topic, state FROM stored_events
WHERE originator_id IN ({}) ORDER BY originator_id, originator_version
"""
SELECT_FEED = """
SELECT position, originator_id, originator_version, topic, state FROM stored_events
WHERE position > ? ORDER BY position LIMIT ?
"""
SELECT_PLACES = """
SELECT position, originator_id, originator_version FROM stored_events
WHERE position > ? ORDER BY position LIMIT ?
"""
SELECT_PLACED = """
SELECT position, originator_id, originator_version, topic, state FROM stored_events
WHERE originator_id IN ({}) ORDER BY originator_id, originator_version
"""
SCAN = """
SELECT position, originator_id, originator_version, topic, state FROM stored_events
WHERE (originator_id, originator_version) > (?, ?) AND originator_id < ?
ORDER BY originator_id, originator_version LIMIT ?
"""
SELECT_STREAMS_AT = "SELECT originator_id FROM stored_events WHERE position IN ({})"
SELECT_POSITIONS = """
SELECT originator_version, position FROM stored_events WHERE originator_id = ?
"""
SELECT_LAST_POSITION = "SELECT max(position) FROM stored_events"
# A kind's streams are those between `kind:` and `kind;`, the next character.
SELECT_NAMES = """
SELECT originator_id FROM stored_events
WHERE originator_id >= ? || ':' AND originator_id < ? || ';' AND originator_version = 1
ORDER BY position
"""
COUNT_KIND = """
SELECT count(*) FROM stored_events WHERE originator_id >= ? || ':' AND originator_id < ? || ';'
"""
# The plus keeps the index on streams out: few rows are new, and a kind's streams may be many.
EXISTS_OF_KIND = """
SELECT EXISTS (SELECT 1 FROM stored_events WHERE position > ? AND ({}))
"""
OF_KIND = "(+originator_id >= ? || ':' AND +originator_id < ? || ';')"

SELECT_TILE = "SELECT hashes FROM tiles WHERE level = ? AND number = ?"
INSERT_TILE = "INSERT OR REPLACE INTO tiles VALUES (?, ?, ?)"
SELECT_EDGE = "SELECT hash FROM edge WHERE position > ? AND position <= ? ORDER BY position"
SELECT_ENDS = """
SELECT (SELECT coalesce(max(position), 0) FROM stored_events),
    (SELECT coalesce(max(position), 0) FROM edge)
"""
SELECT_EDGE_EXTENT = """
SELECT count(*), coalesce(min(position), 0), coalesce(max(position), 0) FROM edge
"""
INSERT_EDGE = "INSERT INTO edge VALUES (?, ?)"
DELETE_EDGE = "DELETE FROM edge WHERE position <= ?"
INSERT_CHECKPOINT = "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)"
SELECT_CHECKPOINT = "SELECT * FROM checkpoints WHERE size = ?"
SELECT_LAST_CHECKPOINT = "SELECT * FROM checkpoints ORDER BY size DESC LIMIT 1"
SELECT_CHECKPOINTS = "SELECT * FROM checkpoints ORDER BY size"
INSERT_PROPERTY = "INSERT INTO properties VALUES (?, ?)"
SELECT_PROPERTIES = "SELECT * FROM properties"
SELECT_SCHEMA = """
SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name
"""

SELECT_NOTIFICATIONS = """
SELECT position, originator_id, originator_version, topic, state FROM stored_events
WHERE position > ? AND position <= ? {} ORDER BY position LIMIT ?
"""
