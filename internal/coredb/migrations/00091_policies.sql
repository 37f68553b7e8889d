-- +goose Up
-- What people decided that detection, incidents and remedies follow, as it holds
-- now. Each change is an event as well, written in the same transaction.
CREATE TABLE policies (
    type       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    value      TEXT    NOT NULL, -- JSON
    by         TEXT    NOT NULL, -- opaque id of who changed it last
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (type, id)
) WITHOUT ROWID;
