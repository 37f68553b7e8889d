-- +goose Up
-- Sessions with a doubt about their record are few and are asked for alone.
ALTER TABLE sessions ADD COLUMN flagged INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET flagged = 1 WHERE data ->> '$.flags' IS NOT NULL;
CREATE INDEX sessions_flagged ON sessions (started_at) WHERE flagged = 1;

-- What people call some of the stations; a JSON list.
ALTER TABLE stations ADD COLUMN tags TEXT NOT NULL DEFAULT '';

-- A page with its filter, order and columns, under a name.
CREATE TABLE views (
    id         TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    name       TEXT NOT NULL,
    path       TEXT NOT NULL,
    shared     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX views_owner ON views (owner);
