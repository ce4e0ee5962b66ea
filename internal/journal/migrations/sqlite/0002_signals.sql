-- Signals, each episode of each once. version counts what came to it, and taken is the version
-- that triage saw last.
CREATE TABLE app_signal (
    id          TEXT   PRIMARY KEY,
    fingerprint TEXT   NOT NULL,
    signal      TEXT   NOT NULL, -- JSON
    version     BIGINT NOT NULL,
    taken       BIGINT NOT NULL DEFAULT 0,
    seen        BIGINT NOT NULL
);
CREATE INDEX app_signal_fingerprint ON app_signal (fingerprint, seen);
