-- +goose Up
-- Whom to call about a site, in order: names and phone numbers stand here only.
CREATE TABLE call_lists (
    site       TEXT    PRIMARY KEY,
    data       TEXT    NOT NULL,
    by         TEXT    NOT NULL, -- opaque id
    changed_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Who took over from whom, and what they were told.
CREATE TABLE handovers (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    by     TEXT    NOT NULL, -- opaque id of who took over
    before TEXT    NOT NULL, -- of who had it; empty: nobody
    note   TEXT    NOT NULL,
    data   TEXT    NOT NULL
);
