, found AS MATERIALIZED (
    -- The first 20 bytes of a version are its order.
    SELECT *, CASE
        WHEN value IS NULL AND (now >= written + interval '1 day' OR substr($2::bytea, 1, 20) > substr(version, 1, 20)) THEN 'written'
        WHEN value IS NULL THEN 'signed out'
        WHEN substr($2::bytea, 1, 20) > substr(version, 1, 20) THEN 'displaced'
        ELSE 'changed'
    END AS answer FROM seen
), written AS (
    UPDATE proofkey_logins AS row
    SET version = $2::bytea, value = $3::bytea, written = now,
        claim = NULL, claimed = NULL, claim_ends = NULL, paused = NULL, pause_ends = NULL
    FROM found WHERE row.key = $1::text AND answer IN ('displaced', 'written')
), inserted AS (
    INSERT INTO proofkey_logins (key, version, value, written)
    SELECT $1::text, $2::bytea, $3::bytea, clock_timestamp() WHERE NOT EXISTS (SELECT FROM found)
    ON CONFLICT (key) DO NOTHING RETURNING key
)
