WITH seen AS MATERIALIZED (
    SELECT *, clock_timestamp() AS now FROM proofkey_logins WHERE key = $1::text
), found AS (
    SELECT *, CASE WHEN value IS NULL THEN 'signed out' ELSE 'row' END AS answer
    FROM seen WHERE value IS NOT NULL OR now < written + interval '1 day'
)
