-- +goose Up
-- Rows of files that were not taken, or not as they stood: all that are quarantined
-- up to a bound, and examples of each repair. text holds no token.
CREATE TABLE past_row (
    import_id INTEGER NOT NULL REFERENCES past_import (id),
    line      INTEGER NOT NULL,
    outcome   TEXT    NOT NULL, -- quarantined, repaired, duplicate, flagged
    reason    TEXT    NOT NULL,
    text      TEXT    NOT NULL,
    PRIMARY KEY (import_id, line, reason)
) WITHOUT ROWID;
