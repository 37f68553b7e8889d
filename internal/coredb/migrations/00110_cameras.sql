-- +goose Up
-- Cameras. What lists are selected by stands in columns, the rest is JSON; the
-- password is sealed with the key of the data folder.
CREATE TABLE cameras (
    id         TEXT    PRIMARY KEY,
    site       TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    password   BLOB,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Whether what moves at a site matters.
CREATE TABLE arming (
    site TEXT PRIMARY KEY,
    data TEXT NOT NULL
) WITHOUT ROWID;
