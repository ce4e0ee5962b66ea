-- Small records that are known by a key: incidents, pages of lists.
CREATE TABLE inv_record (
	key     TEXT COLLATE "C" PRIMARY KEY,
	version BIGINT NOT NULL,
	body    BYTEA NOT NULL
);
