-- +goose Up
-- What detection concluded: incidents as they stand, what happened to each, and
-- the state of the fold that concluded it.

CREATE TABLE incidents (
    id        TEXT PRIMARY KEY,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER NOT NULL DEFAULT 0,
    state     TEXT NOT NULL,
    severity  TEXT NOT NULL,
    kind      TEXT NOT NULL,
    site      TEXT NOT NULL DEFAULT '',
    parent    TEXT,
    data      TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX incidents_by_time ON incidents (opened_at, id);
CREATE INDEX incidents_by_site ON incidents (site, opened_at);
CREATE INDEX incidents_by_parent ON incidents (parent) WHERE parent IS NOT NULL;

CREATE TABLE incident_log (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    incident TEXT NOT NULL,
    at       INTEGER NOT NULL,
    data     TEXT NOT NULL
);
CREATE INDEX incident_log_by_incident ON incident_log (incident, seq);

-- How far conclusions are committed: events up to seq, timers up to clock.
CREATE TABLE live_progress (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    seq   INTEGER NOT NULL,
    clock INTEGER NOT NULL
);

-- A checkpoint is written in parts; it counts when its generation is finished.
CREATE TABLE live_state (
    part       TEXT NOT NULL,
    key        TEXT NOT NULL,
    generation INTEGER NOT NULL,
    data       BLOB,
    PRIMARY KEY (part, key, generation)
) WITHOUT ROWID;

CREATE TABLE live_checkpoint (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    clock      INTEGER NOT NULL,
    meta       TEXT NOT NULL
);
