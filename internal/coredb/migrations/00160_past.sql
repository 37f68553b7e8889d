-- +goose Up
-- Files of past sessions that people brought. What a row of them came to is counted
-- in counts; state: staged, queued, running, stopped, done, undoing, undone.
CREATE TABLE past_import (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL, -- of the file
    file_sha256 TEXT    NOT NULL,
    bytes       INTEGER NOT NULL,
    made_at     INTEGER NOT NULL,
    by          TEXT    NOT NULL, -- opaque id
    state       TEXT    NOT NULL,
    written     INTEGER NOT NULL DEFAULT 0, -- rows that are committed
    changed_at  INTEGER NOT NULL, -- of the sessions it stands for
    undone_at   INTEGER,
    mapping     TEXT    NOT NULL DEFAULT '{}',
    counts      TEXT    NOT NULL DEFAULT '{}'
);
CREATE INDEX past_import_by_file ON past_import (file_sha256);

-- Sessions from before we listened. Their stations need not be enrolled here. Times
-- are milliseconds of Unix time.
CREATE TABLE past_session (
    id              INTEGER PRIMARY KEY,
    import_id       INTEGER NOT NULL REFERENCES past_import (id),
    site_id         TEXT    NOT NULL,
    station_id      TEXT    NOT NULL,
    evse_id         INTEGER NOT NULL,
    start_at        INTEGER NOT NULL,
    end_at          INTEGER NOT NULL,
    charging_end_at INTEGER,
    energy_wh       REAL,
    peak_w          REAL,
    token_ref       TEXT, -- the same for the same token, and nothing else
    flag            TEXT    NOT NULL DEFAULT '' -- what was repaired or is odd, by comma
);
-- What is there already is not imported twice.
CREATE UNIQUE INDEX past_session_by_port ON past_session (site_id, station_id, evse_id, start_at, end_at);
CREATE INDEX past_session_by_site ON past_session (site_id, start_at);
CREATE INDEX past_session_by_import ON past_session (import_id);

-- When an import knows of a port: outside it was not observed. A port has several
-- rows where a file has holes.
CREATE TABLE past_evse (
    import_id  INTEGER NOT NULL REFERENCES past_import (id),
    site_id    TEXT    NOT NULL,
    station_id TEXT    NOT NULL,
    evse_id    INTEGER NOT NULL,
    first_at   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    rated_w    REAL, -- what the file says of it, or NULL
    PRIMARY KEY (site_id, station_id, evse_id, first_at, import_id)
) WITHOUT ROWID;
CREATE INDEX past_evse_by_import ON past_evse (import_id);
