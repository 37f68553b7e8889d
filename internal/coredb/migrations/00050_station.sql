-- +goose Up
-- What people write down about a station. Times are Unix milliseconds.
CREATE TABLE notes (
    id      TEXT PRIMARY KEY,
    station TEXT NOT NULL,
    author  TEXT NOT NULL,
    at      INTEGER NOT NULL,
    text    TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX notes_by_station ON notes (station, at);

-- The certificates a station said it has, and when it was last asked for which
-- kind (empty: all).
CREATE TABLE certificates (
    station          TEXT NOT NULL,
    type             TEXT NOT NULL,
    hash_algorithm   TEXT NOT NULL,
    issuer_name_hash TEXT NOT NULL,
    issuer_key_hash  TEXT NOT NULL,
    serial           TEXT NOT NULL,
    parent           TEXT NOT NULL DEFAULT '',
    at               INTEGER NOT NULL,
    PRIMARY KEY (station, type, hash_algorithm, issuer_name_hash, issuer_key_hash, serial)
) WITHOUT ROWID;
CREATE TABLE certificate_lists (
    station TEXT NOT NULL,
    type    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (station, type)
) WITHOUT ROWID;
