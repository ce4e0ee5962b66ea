-- Actions have terms as git dependencies have: contents go into the index anew.
DELETE FROM inv_term;
UPDATE inv_content SET indexed = 0;
