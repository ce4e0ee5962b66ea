-- Processes that work, so that what a dead one held goes to another.
CREATE TABLE app_process (
    id      TEXT   PRIMARY KEY,
    started BIGINT NOT NULL,
    beat    BIGINT NOT NULL -- when it was last heard of, by the database's clock
);

-- Which turn of a schedule was the last to become a job.
CREATE TABLE app_schedule (
    name TEXT   PRIMARY KEY,
    turn BIGINT NOT NULL,
    at   BIGINT NOT NULL
);
