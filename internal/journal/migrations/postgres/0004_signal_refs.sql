-- What a source knows each signal by that came to one, so that what comes again is known however
-- much came between.
CREATE TABLE app_signal_ref (
    signal TEXT NOT NULL,
    ref    TEXT NOT NULL,
    PRIMARY KEY (signal, ref)
);
