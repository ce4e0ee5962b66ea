-- The organisation's settings as they were last read without a fault, and what was wrong with them
-- since. commit_id is '' while nothing could be read.
CREATE TABLE app_settings (
    repository TEXT   PRIMARY KEY,
    commit_id  TEXT   NOT NULL,
    content    TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    fault      TEXT   NOT NULL,
    fault_at   BIGINT NOT NULL
);
