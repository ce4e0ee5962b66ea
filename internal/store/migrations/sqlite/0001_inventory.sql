-- What runs saw, and what they read. Times are milliseconds since 1970; what comes from outside is
-- bytes, since it may be any.

CREATE TABLE inv_run (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	scope       TEXT NOT NULL,
	catalogue   TEXT NOT NULL,
	started     INTEGER NOT NULL,
	touched     INTEGER NOT NULL, -- last sign of life
	finished    INTEGER,
	interrupted INTEGER NOT NULL DEFAULT 0,
	problems    BLOB NOT NULL     -- JSON array of finding.Problem
);
CREATE INDEX inv_run_scope ON inv_run (scope, id);

CREATE TABLE inv_repository (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	server     TEXT NOT NULL,
	number     INTEGER NOT NULL,
	name       BLOB NOT NULL,
	first_seen INTEGER NOT NULL,
	last_seen  INTEGER NOT NULL,
	last_run   INTEGER NOT NULL,
	gone       INTEGER NOT NULL DEFAULT 0,
	shown      BLOB NOT NULL      -- inventory.Shown
);
CREATE UNIQUE INDEX inv_repository_number ON inv_repository (server, number) WHERE number <> 0;
CREATE UNIQUE INDEX inv_repository_name ON inv_repository (server, name) WHERE number = 0;

-- One row for each commit that a ref named, one of them current.
CREATE TABLE inv_ref (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	repository INTEGER NOT NULL,
	name       BLOB NOT NULL,
	commit_id  BLOB NOT NULL,
	root       BLOB NOT NULL,     -- empty where the tree was not read
	selection  TEXT NOT NULL,
	first_seen INTEGER NOT NULL,
	last_seen  INTEGER NOT NULL,
	first_run  INTEGER NOT NULL,
	last_run   INTEGER NOT NULL,
	current    INTEGER NOT NULL,
	position   INTEGER NOT NULL      -- among the refs of the repository
);
CREATE INDEX inv_ref_repository ON inv_ref (repository, current, name);
CREATE INDEX inv_ref_root ON inv_ref (root);

CREATE TABLE inv_tree (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	root      BLOB NOT NULL UNIQUE,
	selection TEXT NOT NULL,
	written   INTEGER NOT NULL,
	body      BLOB NOT NULL       -- inventory.Tree
);

-- Which trees hold a blob. A row of a tree that is there no more is stale.
CREATE TABLE inv_held (
	blob BLOB NOT NULL,
	tree INTEGER NOT NULL,
	PRIMARY KEY (blob, tree)
) WITHOUT ROWID;

CREATE TABLE inv_content (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	blob     BLOB NOT NULL,
	format   TEXT NOT NULL,
	reader   INTEGER NOT NULL,
	packages INTEGER NOT NULL,
	problems INTEGER NOT NULL,
	includes INTEGER NOT NULL,
	kinds    BLOB NOT NULL,
	indexed  INTEGER NOT NULL DEFAULT 0,
	written  INTEGER NOT NULL,
	UNIQUE (blob, format, reader)
);
CREATE INDEX inv_content_unindexed ON inv_content (id) WHERE indexed = 0;

CREATE TABLE inv_body (
	content INTEGER PRIMARY KEY,
	body    BLOB NOT NULL         -- inventory.Content
);

-- The terms of the contents that are marked as indexed: the contents of a term that were put in
-- together, the first and the distances between them.
CREATE TABLE inv_posting (
	term  INTEGER NOT NULL,
	spec  BLOB NOT NULL,
	first INTEGER NOT NULL,
	rest  BLOB NOT NULL,
	PRIMARY KEY (term, spec, first)
) WITHOUT ROWID;

-- Findings and problems, each once however many runs had it.
CREATE TABLE inv_event (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	digest BLOB NOT NULL UNIQUE,
	kind   TEXT NOT NULL,
	body   BLOB NOT NULL          -- JSON
);

CREATE TABLE inv_run_repository (
	run        INTEGER NOT NULL,
	repository INTEGER NOT NULL,
	name       BLOB NOT NULL,     -- as the run had it
	PRIMARY KEY (run, repository)
) WITHOUT ROWID;

CREATE TABLE inv_run_event (
	run        INTEGER NOT NULL,
	repository INTEGER NOT NULL,
	position   INTEGER NOT NULL,
	event      INTEGER NOT NULL,
	PRIMARY KEY (run, repository, position)
) WITHOUT ROWID;
