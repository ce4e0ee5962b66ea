-- When the server was asked for what somebody last told of a ref: that it is there, or that it went.
ALTER TABLE inv_ref ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
