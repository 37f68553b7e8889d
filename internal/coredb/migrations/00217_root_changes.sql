-- +goose Up
-- The change of the root that the server's certificate stands under: one at a time.
-- root and old are PEM.
CREATE TABLE root_changes (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    state       TEXT    NOT NULL,
    by          TEXT    NOT NULL,
    made        INTEGER NOT NULL,
    root        TEXT    NOT NULL,
    old         TEXT    NOT NULL DEFAULT '',
    without     TEXT    NOT NULL DEFAULT '',
    started_at  INTEGER NOT NULL,
    switched_at INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER NOT NULL DEFAULT 0
);

-- What each station did with the new root, and with the old one afterwards.
CREATE TABLE root_holds (
    station  TEXT    PRIMARY KEY,
    has      TEXT    NOT NULL DEFAULT '',
    old      TEXT    NOT NULL DEFAULT '',
    said     TEXT    NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    at       INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
