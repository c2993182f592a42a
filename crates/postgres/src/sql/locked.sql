WITH locked AS MATERIALIZED (
    SELECT * FROM proofkey_logins WHERE key = $1::text FOR UPDATE
), seen AS MATERIALIZED (
    -- A step of its own: in the first one, the clock would be read before the wait for the lock.
    SELECT *, clock_timestamp() AS now FROM locked
), living AS (
    SELECT * FROM seen WHERE value IS NOT NULL OR now < written + interval '1 day'
)
