-- Deliveries of GitHub's webhooks: each once, whatever became of it.
CREATE TABLE app_delivery (
    number       INTEGER PRIMARY KEY,
    hook         BIGINT  NOT NULL,
    id           TEXT    NOT NULL,
    event        TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    installation BIGINT  NOT NULL,
    received     BIGINT  NOT NULL,
    accepted     BIGINT  NOT NULL,
    state        TEXT    NOT NULL DEFAULT 'accepted' CHECK (state IN ('accepted', 'done', 'dead')),
    reason       TEXT    NOT NULL DEFAULT '',
    attempts     INTEGER NOT NULL DEFAULT 0,
    ended        BIGINT  NOT NULL DEFAULT 0,
    job          BIGINT  NOT NULL DEFAULT 0,
    kept         INTEGER NOT NULL DEFAULT 1, -- 0 once its body was dropped
    UNIQUE (hook, id)
);
CREATE INDEX app_delivery_state ON app_delivery (state, ended);
CREATE INDEX app_delivery_kept ON app_delivery (state, ended) WHERE kept = 1;

-- Bodies, which are kept for less long than their deliveries.
CREATE TABLE app_body (
    delivery BIGINT PRIMARY KEY,
    body     BLOB   NOT NULL
);

-- Writes to the outside, each claimed before it is made. fence counts the claims: who records an
-- effect must be the last that claimed it.
CREATE TABLE app_effect (
    key      TEXT   PRIMARY KEY,
    state    TEXT   NOT NULL CHECK (state IN ('claimed', 'done', 'failed')),
    holder   TEXT   NOT NULL,
    fence    BIGINT NOT NULL,
    lease    BIGINT NOT NULL,
    claimed  BIGINT NOT NULL,
    recorded BIGINT NOT NULL DEFAULT 0,
    receipt  BLOB,
    reason   TEXT   NOT NULL DEFAULT ''
);

-- Switches that a person sets, the kill switch among them.
CREATE TABLE app_switch (
    name   TEXT    PRIMARY KEY,
    is_on  INTEGER NOT NULL,
    by_who TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    at     BIGINT  NOT NULL
);

-- The App's installations as GitHub told of them last.
CREATE TABLE app_installation (
    id      BIGINT PRIMARY KEY,
    account TEXT   NOT NULL,
    owner   BIGINT NOT NULL,
    state   TEXT   NOT NULL CHECK (state IN ('active', 'suspended', 'gone')),
    since   BIGINT NOT NULL,
    checked BIGINT NOT NULL
);
