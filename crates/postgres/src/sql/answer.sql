SELECT answer, version,
    CASE WHEN answer IN ('changed', 'claimed', 'displaced', 'lapsed', 'row') THEN value END AS value,
    floor(extract(epoch FROM now - written))::int8 AS age,
    -- A pause of the future was written before the clock was set back. It is over, since nothing tells how much is left.
    CASE WHEN paused <= now THEN ceil(extract(epoch FROM pause_ends - now))::int8 ELSE 0 END AS pause,
    claim, floor(extract(epoch FROM now - claimed))::int8 AS claim_age,
    ceil(extract(epoch FROM claim_ends - greatest(now, claimed)))::int8 AS claim_left
FROM found
