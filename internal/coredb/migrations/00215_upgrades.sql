-- +goose Up
-- The change of a station's security profile that is under way, or was the last.
-- slot and priority are of 2.x: where the new way stands, and the ways that the
-- station had before.
CREATE TABLE upgrades (
    station      TEXT    PRIMARY KEY,
    state        TEXT    NOT NULL,
    by           TEXT    NOT NULL,
    profile_from INTEGER NOT NULL,
    profile_to   INTEGER NOT NULL,
    url          TEXT    NOT NULL DEFAULT '',
    interface    TEXT    NOT NULL DEFAULT '',
    without      TEXT    NOT NULL DEFAULT '',
    slot         INTEGER NOT NULL DEFAULT 0,
    priority     TEXT    NOT NULL DEFAULT '',
    started_at   INTEGER NOT NULL,
    sent_at      INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER NOT NULL DEFAULT 0,
    finished_at  INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    said         TEXT    NOT NULL DEFAULT ''
) WITHOUT ROWID;
