, found AS MATERIALIZED (
    SELECT *, CASE
        WHEN value IS NULL THEN 'signed out'
        WHEN version <> $2::bytea THEN 'changed'
        WHEN claim IS NULL OR claim = $3::bytea THEN 'claimed'
        WHEN now < claim_ends THEN 'busy'
        WHEN claim = $5::bytea THEN 'claimed'
        ELSE 'lapsed'
    END AS answer FROM living
), claimed AS (
    UPDATE proofkey_logins AS row
    SET claim = $3::bytea, claimed = now, claim_ends = now + $4::int4 * interval '1 second'
    FROM found WHERE row.key = $1::text AND answer = 'claimed'
), moved AS (
    -- The clock was set back: from here on the claim lives for as long as it was given, and not until then.
    UPDATE proofkey_logins AS row
    SET claimed = now, claim_ends = now + (found.claim_ends - found.claimed)
    FROM found WHERE row.key = $1::text AND answer = 'busy' AND now < found.claimed
)
