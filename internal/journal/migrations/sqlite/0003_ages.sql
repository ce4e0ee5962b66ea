-- What is dropped by its age is found by it.
CREATE INDEX app_effect_claimed ON app_effect (claimed);
CREATE INDEX app_signal_seen ON app_signal (seen);
