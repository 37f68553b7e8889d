-- +goose Up
-- Work at many stations. state: running, paused, stopped, finished; stage: canary,
-- soak, rest.
CREATE TABLE campaigns (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    by         TEXT    NOT NULL, -- opaque id
    state      TEXT    NOT NULL,
    stage      TEXT    NOT NULL,
    made_at    INTEGER NOT NULL,
    soak_until INTEGER NOT NULL DEFAULT 0,
    ended_at   INTEGER NOT NULL DEFAULT 0,
    plan       TEXT    NOT NULL,
    sites      TEXT    NOT NULL, -- of the stations that are worked on
    left_out   TEXT    NOT NULL,
    why        TEXT    NOT NULL DEFAULT '', -- it was stopped
    total      INTEGER NOT NULL
);
CREATE INDEX campaigns_by_state ON campaigns (state, seq);

-- What became of each station. state: pending, waiting, working, done, failed,
-- skipped, unknown.
CREATE TABLE campaign_stations (
    campaign INTEGER NOT NULL REFERENCES campaigns (seq) ON DELETE CASCADE,
    place    INTEGER NOT NULL, -- in the order of work
    station  TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    model    TEXT    NOT NULL,
    firmware TEXT    NOT NULL,
    canary   INTEGER NOT NULL DEFAULT 0,
    sound    INTEGER NOT NULL DEFAULT 0, -- no fault when it was begun
    state    TEXT    NOT NULL,
    code     TEXT    NOT NULL DEFAULT '',
    text     TEXT    NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    began_at INTEGER NOT NULL DEFAULT 0,
    at       INTEGER NOT NULL,
    retry_at INTEGER NOT NULL DEFAULT 0,
    before   TEXT    NOT NULL DEFAULT '',
    after    TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (campaign, place)
) WITHOUT ROWID;
CREATE INDEX campaign_stations_by_state ON campaign_stations (campaign, state, code, canary);
