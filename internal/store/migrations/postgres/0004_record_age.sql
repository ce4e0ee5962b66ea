-- When a record was written last, so that those of some kinds can be forgotten; 0 is before this was kept.
ALTER TABLE inv_record ADD COLUMN written BIGINT NOT NULL DEFAULT 0;
