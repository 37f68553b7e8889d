-- +goose Up
-- Moments of recordings that people marked. What is kept longer because of one is a
-- hold of the recordings, named after it.
CREATE TABLE bookmarks (
    id         TEXT    PRIMARY KEY,
    camera     TEXT    NOT NULL,
    site       TEXT    NOT NULL, -- of the camera when it was marked
    at         INTEGER NOT NULL, -- milliseconds
    until      INTEGER NOT NULL, -- at, where a moment is marked
    text       TEXT    NOT NULL,
    keep       TEXT    NOT NULL, -- incident, evidence; empty: it goes when its time has come
    author     TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX bookmarks_at ON bookmarks (at, id);
CREATE INDEX bookmarks_camera ON bookmarks (camera, at);
