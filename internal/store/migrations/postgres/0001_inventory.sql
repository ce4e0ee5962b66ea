-- What runs saw, and what they read. Times are milliseconds since 1970; what comes from outside is
-- bytes, since it may be any.

CREATE TABLE inv_run (
	id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	scope       TEXT NOT NULL,
	catalogue   TEXT NOT NULL,
	started     BIGINT NOT NULL,
	touched     BIGINT NOT NULL, -- last sign of life
	finished    BIGINT,
	interrupted BIGINT NOT NULL DEFAULT 0,
	problems    BYTEA NOT NULL     -- JSON array of finding.Problem
);
CREATE INDEX inv_run_scope ON inv_run (scope, id);

CREATE TABLE inv_repository (
	id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	server     TEXT NOT NULL,
	number     BIGINT NOT NULL,
	name       BYTEA NOT NULL,
	first_seen BIGINT NOT NULL,
	last_seen  BIGINT NOT NULL,
	last_run   BIGINT NOT NULL,
	gone       BIGINT NOT NULL DEFAULT 0,
	shown      BYTEA NOT NULL      -- inventory.Shown
);
CREATE UNIQUE INDEX inv_repository_number ON inv_repository (server, number) WHERE number <> 0;
CREATE UNIQUE INDEX inv_repository_name ON inv_repository (server, name) WHERE number = 0;

-- One row for each commit that a ref named, one of them current.
CREATE TABLE inv_ref (
	id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	repository BIGINT NOT NULL,
	name       BYTEA NOT NULL,
	commit_id  BYTEA NOT NULL,
	root       BYTEA NOT NULL,     -- empty where the tree was not read
	selection  TEXT NOT NULL,
	first_seen BIGINT NOT NULL,
	last_seen  BIGINT NOT NULL,
	first_run  BIGINT NOT NULL,
	last_run   BIGINT NOT NULL,
	current    BIGINT NOT NULL,
	position   BIGINT NOT NULL      -- among the refs of the repository
);
CREATE INDEX inv_ref_repository ON inv_ref (repository, current, name);
CREATE INDEX inv_ref_root ON inv_ref (root);

CREATE TABLE inv_tree (
	id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	root      BYTEA NOT NULL UNIQUE,
	selection TEXT NOT NULL,
	written   BIGINT NOT NULL,
	body      BYTEA NOT NULL       -- inventory.Tree
);

-- Which trees hold a blob. A row of a tree that is there no more is stale.
CREATE TABLE inv_held (
	blob BYTEA NOT NULL,
	tree BIGINT NOT NULL,
	PRIMARY KEY (blob, tree)
);

CREATE TABLE inv_content (
	id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	blob     BYTEA NOT NULL,
	format   TEXT NOT NULL,
	reader   BIGINT NOT NULL,
	packages BIGINT NOT NULL,
	problems BIGINT NOT NULL,
	includes BIGINT NOT NULL,
	kinds    BYTEA NOT NULL,
	indexed  BIGINT NOT NULL DEFAULT 0,
	written  BIGINT NOT NULL,
	UNIQUE (blob, format, reader)
);
CREATE INDEX inv_content_unindexed ON inv_content (id) WHERE indexed = 0;

CREATE TABLE inv_body (
	content BIGINT PRIMARY KEY,
	body    BYTEA NOT NULL         -- inventory.Content
);

-- The terms of the contents that are marked as indexed: the contents of a term that were put in
-- together, the first and the distances between them.
CREATE TABLE inv_posting (
	term  BIGINT NOT NULL,
	spec  BYTEA NOT NULL,
	first BIGINT NOT NULL,
	rest  BYTEA NOT NULL,
	PRIMARY KEY (term, spec, first)
);

-- Findings and problems, each once however many runs had it.
CREATE TABLE inv_event (
	id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	digest BYTEA NOT NULL UNIQUE,
	kind   TEXT NOT NULL,
	body   BYTEA NOT NULL          -- JSON
);

CREATE TABLE inv_run_repository (
	run        BIGINT NOT NULL,
	repository BIGINT NOT NULL,
	name       BYTEA NOT NULL,     -- as the run had it
	PRIMARY KEY (run, repository)
);

CREATE TABLE inv_run_event (
	run        BIGINT NOT NULL,
	repository BIGINT NOT NULL,
	position   BIGINT NOT NULL,
	event      BIGINT NOT NULL,
	PRIMARY KEY (run, repository, position)
);
