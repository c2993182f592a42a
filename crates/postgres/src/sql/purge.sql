DELETE FROM proofkey_logins WHERE value IS NULL AND written <= clock_timestamp() - interval '1 day'
