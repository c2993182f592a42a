, found AS MATERIALIZED (
    SELECT *, CASE
        WHEN value IS NULL THEN 'signed out'
        WHEN version <> $2::bytea THEN CASE WHEN version = $4::bytea THEN 'done' ELSE 'changed' END
        WHEN claim <> $3::bytea AND now < claim_ends THEN 'fenced'
        ELSE 'written'
    END AS answer FROM living
), written AS (
    UPDATE proofkey_logins AS row
    SET version = $4::bytea, value = $5::bytea, written = now,
        claim = NULL, claimed = NULL, claim_ends = NULL, paused = NULL, pause_ends = NULL
    FROM found WHERE row.key = $1::text AND answer = 'written'
)
