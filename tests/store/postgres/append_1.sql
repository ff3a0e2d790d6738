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
                USING ERRCODE = 'DS001';
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
