-- +goose Up
-- Cameras side by side, under a name; and which of them a site shows first.
CREATE TABLE walls (
    id         TEXT    PRIMARY KEY,
    owner      TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    shared     INTEGER NOT NULL,
    data       TEXT    NOT NULL, -- JSON: tiles
    created_at INTEGER NOT NULL,
    UNIQUE (owner, name)
) WITHOUT ROWID;

CREATE TABLE first_walls (
    site TEXT PRIMARY KEY, -- empty: of the network
    wall TEXT NOT NULL REFERENCES walls (id) ON DELETE CASCADE
) WITHOUT ROWID;
