, found AS MATERIALIZED (
    SELECT *, CASE
        WHEN value IS NULL THEN 'signed out'
        WHEN claim IS NULL THEN 'done'
        WHEN claim = $2::bytea THEN 'released'
        ELSE 'fenced'
    END AS answer FROM living
), released AS (
    UPDATE proofkey_logins AS row
    SET claim = NULL, claimed = NULL, claim_ends = NULL, paused = now,
        pause_ends = greatest(now + $3::int8 * interval '1 second', CASE WHEN found.paused <= now THEN found.pause_ends END)
    FROM found WHERE row.key = $1::text AND answer = 'released'
)
