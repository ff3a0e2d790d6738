"""Every statement on the tables of a log on PostgreSQL, once they are made."""

APPEND = """
SELECT append(%b, %b::text[], %b::bigint[],
    %b::text[], %b::bigint[], %b::text[], %b::bytea[], %b::bytea[],
    %b::text[], %b::text[], %b::bytea[], %b::text[], %b::bigint[], %b::bigint[], %b::text[])
"""
APPEND_ONE = "SELECT append_one(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)"
NOTIFY = "SELECT pg_notify(%s, '')"
COPY = "COPY stored_events FROM STDIN (FORMAT BINARY)"
COPIED_TYPES = ("int8", "text", "int8", "text", "bytea")
INSERT_COMMAND = "INSERT INTO commands VALUES (%s, %s, %s, %s, %s, %s, %s)"
SELECT_COMMAND = "SELECT * FROM commands WHERE principal = %s AND command_id = %s"
SELECT_COMMANDS = """
SELECT * FROM commands WHERE (principal, command_id) > (%s, %s)
ORDER BY principal, command_id LIMIT %s
"""
# Head and whether kinds changed; the command; the events of the stream: one round trip for all.
# The kinds are one text with commas, which the driver hands over sooner than an array.
SELECT_STANDING = """
SELECT 0, '', coalesce(max(position), 0), CASE WHEN %b > 0 AND EXISTS (
        SELECT 1 FROM stored_events
        WHERE position > %b
            AND split_part(originator_id || '', ':', 1) = ANY(string_to_array(%b, ','))
    ) THEN 1 ELSE 0 END::bigint, '', NULL::bytea
FROM stored_events
UNION ALL
SELECT 1, stream, first_version, last_version, recorded_at, fingerprint
FROM commands WHERE principal = %b AND command_id = %b
UNION ALL
SELECT 2, '', originator_version, 0, topic, state
FROM stored_events WHERE originator_id = %b AND originator_version > %b
ORDER BY 1, 3
"""
CLEAR_FINGERPRINTS = """
UPDATE commands SET fingerprint = NULL
FROM unnest(%b::text[], %b::bigint[]) AS told(name, version)
WHERE stream = name AND version BETWEEN first_version AND last_version
    AND fingerprint IS NOT NULL
"""
CLEAR_QUIET = """
UPDATE commands SET fingerprint = NULL
WHERE stream = ANY(%s) AND first_version > last_version AND fingerprint IS NOT NULL
"""
SELECT_GAP = """
SELECT stream, version FROM unnest(%b::text[], %b::bigint[]) AS preceding(stream, version)
WHERE (
    SELECT 1 FROM stored_events WHERE originator_id = stream AND originator_version = version
) IS NULL LIMIT 1
"""
SELECT_HEAD = (
    "SELECT coalesce(max(originator_version), 0) FROM stored_events WHERE originator_id = %s"
)
SELECT_EVENT = """
SELECT position, state FROM stored_events
WHERE originator_id = %s AND originator_version = %s
"""
SELECT_STREAM = """
SELECT originator_id, originator_version, topic, state FROM stored_events
WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version
"""
SELECT_STREAMS = """
SELECT originator_id, originator_version, topic, state FROM stored_events
WHERE originator_id = ANY(%s) ORDER BY originator_id, originator_version
"""
SELECT_FEED = """
SELECT position, originator_id, originator_version, topic, state FROM stored_events
WHERE position > %s ORDER BY position LIMIT %s
"""
SELECT_PLACES = """
SELECT position, originator_id, originator_version FROM stored_events
WHERE position > %s ORDER BY position LIMIT %s
"""
SELECT_PLACED = """
SELECT position, originator_id, originator_version, topic, state FROM stored_events
WHERE originator_id = ANY(%s) ORDER BY originator_id, originator_version
"""
SCAN = """
SELECT position, originator_id, originator_version, topic, state FROM stored_events
WHERE (originator_id, originator_version) > (%s, %s) AND originator_id < %s
ORDER BY originator_id, originator_version LIMIT %s
"""
SELECT_STREAMS_AT = "SELECT originator_id FROM stored_events WHERE position = ANY(%s)"
SELECT_POSITIONS = "SELECT originator_version, position FROM stored_events WHERE originator_id = %s"
SELECT_LAST_POSITION = "SELECT coalesce(max(position), 0) FROM stored_events"
# A kind's streams are those between `kind:` and `kind;`, the next character.
SELECT_NAMES = """
SELECT originator_id FROM stored_events
WHERE originator_id >= %s AND originator_id < %s AND originator_version = 1
ORDER BY position
"""
COUNT_KIND = """
SELECT count(*) FROM stored_events WHERE originator_id >= %s AND originator_id < %s
"""
# The empty text keeps the index on streams out: few rows are new, and a kind's streams many.
EXISTS_OF_KIND = """
SELECT EXISTS (
    SELECT 1 FROM stored_events
    WHERE position > %s AND split_part(originator_id || '', ':', 1) = ANY(%s)
)
"""
SELECT_NOTIFICATIONS = """
SELECT position, originator_id, originator_version, topic, state FROM stored_events
WHERE position > %s AND position <= %s AND (%s::text[] IS NULL OR topic = ANY(%s))
ORDER BY position LIMIT %s
"""
SELECT_TILE = "SELECT hashes FROM tiles WHERE level = %s AND number = %s"
SELECT_FULL_TILES = "SELECT coalesce(max(number) + 1, 0) FROM tiles WHERE level = 0"
INSERT_TILES = """
INSERT INTO tiles SELECT * FROM unnest(%b::integer[], %b::bigint[], %b::bytea[])
ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes
"""
INSERT_EDGE = "INSERT INTO edge SELECT * FROM unnest(%b::bigint[], %b::bytea[])"
DELETE_EDGE = "DELETE FROM edge WHERE position <= %s"
SELECT_EDGE = "SELECT hash FROM edge WHERE position > %s AND position <= %s ORDER BY position"
# In one statement, since leaves move from the edge into their tile.
SELECT_LEAVES = """
SELECT (SELECT hashes FROM tiles WHERE level = 0 AND number = %s),
    ARRAY(SELECT hash FROM edge WHERE position > %s AND position <= %s ORDER BY position)
"""
SELECT_EDGE_EXTENT = """
SELECT count(*), coalesce(min(position), 0), coalesce(max(position), 0) FROM edge
"""
INSERT_CHECKPOINT = """
INSERT INTO checkpoints VALUES (%s, %s, %s)
ON CONFLICT (size) DO UPDATE SET note = excluded.note, made_at = excluded.made_at
"""
SELECT_CHECKPOINT = "SELECT * FROM checkpoints WHERE size = %s"
SELECT_LAST_CHECKPOINT = "SELECT * FROM checkpoints ORDER BY size DESC LIMIT 1"
SELECT_CHECKPOINTS = "SELECT * FROM checkpoints ORDER BY size"
SELECT_PROPERTIES = "SELECT * FROM properties"
# Everything in the schema that holds rows or does something. The text is that of a function.
SELECT_OBJECTS = """
SELECT CASE relkind WHEN 'r' THEN 'table' ELSE 'relation' END, relname::text, ''
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
UNION ALL
SELECT 'function', proname::text, prosrc FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace
UNION ALL
SELECT 'trigger', tgname::text, '' FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal
UNION ALL
SELECT 'rule', rulename::text, '' FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
UNION ALL
SELECT 'policy', polname::text, '' FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
WHERE relnamespace = current_schema()::regnamespace
"""
SELECT_SIZE = """
SELECT sum(pg_total_relation_size(oid)) FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
"""
