-- +goose Up
-- What people switch at a site: sirens, lights, speakers, relays.
CREATE TABLE outputs (
    id         TEXT    PRIMARY KEY,
    site       TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    secret     BLOB,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- What is on, or may be: written before a device is told, so that none is forgotten
-- on when we are killed.
CREATE TABLE outputs_on (
    output TEXT PRIMARY KEY,
    data   TEXT NOT NULL
) WITHOUT ROWID;

-- For which incident an output has switched by itself: once each.
CREATE TABLE output_automatics (
    output   TEXT    NOT NULL,
    incident TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (output, incident)
) WITHOUT ROWID;
CREATE INDEX output_automatics_by_time ON output_automatics (output, at);
