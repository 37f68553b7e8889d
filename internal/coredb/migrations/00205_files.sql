-- +goose Up
-- Files on their way to and from stations. The sequence is the requestId of OCPP. open:
-- something may still become of it; stored: bytes of the file that is kept.
CREATE TABLE file_jobs (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT    NOT NULL UNIQUE,
    station TEXT    NOT NULL,
    kind    TEXT    NOT NULL, -- diagnostics, securityLog, firmware
    state   TEXT    NOT NULL,
    open    INTEGER NOT NULL,
    stored  INTEGER NOT NULL DEFAULT 0,
    made_at INTEGER NOT NULL,
    by      TEXT    NOT NULL, -- opaque id
    data    TEXT    NOT NULL
);
CREATE INDEX file_jobs_by_station ON file_jobs (station, seq);
CREATE INDEX file_jobs_open ON file_jobs (seq) WHERE open = 1;
CREATE INDEX file_jobs_stored ON file_jobs (seq) WHERE stored > 0;

-- Images of firmware that people brought.
CREATE TABLE firmware_images (
    id      TEXT    PRIMARY KEY,
    made_at INTEGER NOT NULL,
    by      TEXT    NOT NULL,
    bytes   INTEGER NOT NULL,
    sha256  TEXT    NOT NULL,
    data    TEXT    NOT NULL
) WITHOUT ROWID;
