-- When the server was asked for what somebody last told of a ref: that it is there, or that it went.
ALTER TABLE inv_ref ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
