-- What is said of a repository while nothing that it holds is listed (inventory.Brief). It counts for the
-- run that wrote it, and only while that one is last_run.
ALTER TABLE inv_repository ADD COLUMN brief BLOB;
ALTER TABLE inv_repository ADD COLUMN brief_basis INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inv_repository ADD COLUMN brief_run INTEGER NOT NULL DEFAULT 0;

-- The last run that said whether it read the repository whole, and the last that did not.
ALTER TABLE inv_repository ADD COLUMN told_run INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inv_repository ADD COLUMN unread_run INTEGER NOT NULL DEFAULT 0;
CREATE INDEX inv_repository_unread ON inv_repository (name, told_run, last_run) WHERE gone = 0 AND (unread_run = last_run OR told_run <> last_run);
