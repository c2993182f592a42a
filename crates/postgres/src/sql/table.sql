CREATE TABLE IF NOT EXISTS proofkey_logins (
    key text PRIMARY KEY,
    version bytea NOT NULL,
    value bytea,
    written timestamptz NOT NULL,
    claim bytea,
    claimed timestamptz,
    claim_ends timestamptz,
    paused timestamptz,
    pause_ends timestamptz
) WITH (fillfactor = 70)
