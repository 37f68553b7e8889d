-- +goose Up
-- Questions that take a while to answer, such as plans for more ports, and their
-- answers. state: queued, running, finished, failed, cancelled, interrupted.
CREATE TABLE studies (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    kind       TEXT    NOT NULL,
    site       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    by         TEXT    NOT NULL, -- opaque id
    usual      INTEGER NOT NULL DEFAULT 0, -- nobody changed what is assumed
    made_at    INTEGER NOT NULL,
    started_at INTEGER,
    ended_at   INTEGER,
    question   TEXT    NOT NULL,
    result     TEXT,
    problem    TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX studies_by_site ON studies (kind, site, seq);
CREATE INDEX studies_by_state ON studies (state, seq);
