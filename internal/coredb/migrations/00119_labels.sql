-- +goose Up
-- What other systems sign the labels with that they tell of a camera or of all
-- cameras of a site; sealed with the key of the data folder.
CREATE TABLE label_secrets (
    scope      TEXT    PRIMARY KEY,
    secret     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Number plates by the opaque ids that the journal has. They are forgotten a month
-- after they were seen last, or at once when a person asks for it.
CREATE TABLE plates (
    id      TEXT    PRIMARY KEY,
    plate   TEXT    NOT NULL UNIQUE,
    seen_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX plates_seen ON plates (seen_at);
