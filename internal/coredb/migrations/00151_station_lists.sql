-- +goose Up
-- Stations of a site that keep a list of whom to serve while we are away; and those
-- that have one by us, with what their settings were before.
ALTER TABLE sites ADD COLUMN station_lists INTEGER NOT NULL DEFAULT 0;
-- A token was forgotten here that is still on the list there.
ALTER TABLE local_lists ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;
CREATE TABLE kept_lists (
    station TEXT PRIMARY KEY,
    since   INTEGER NOT NULL,
    was     TEXT NOT NULL DEFAULT '{}'
) WITHOUT ROWID;
