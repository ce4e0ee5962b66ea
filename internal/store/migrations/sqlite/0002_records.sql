-- Small records that are known by a key: incidents, pages of lists.
CREATE TABLE inv_record (
	key     TEXT PRIMARY KEY,
	version INTEGER NOT NULL,
	body    BLOB NOT NULL
) WITHOUT ROWID;
