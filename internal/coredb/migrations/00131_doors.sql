-- +goose Up
-- What drives doors, and how far its records have been read. The cursor moves in the
-- transaction of the events that were made of a record: none is lost or told twice.
CREATE TABLE controllers (
    id         TEXT    PRIMARY KEY,
    site       TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    secret     BLOB,
    created_at INTEGER NOT NULL,
    record     INTEGER NOT NULL DEFAULT 0,
    parts      INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE doors (
    id         TEXT    PRIMARY KEY,
    site       TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
