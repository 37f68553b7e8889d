-- +goose Up
CREATE TABLE port (
    id      INTEGER PRIMARY KEY,
    station TEXT    NOT NULL,
    evse    INTEGER NOT NULL,
    sealed  INTEGER NOT NULL DEFAULT 0, -- rows of hot up to this id are in blocks ...
    kept    INTEGER,                    -- ... but for those of this hour
    UNIQUE (station, evse)
);

CREATE TABLE hot (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    seq    INTEGER NOT NULL,
    cursor TEXT    NOT NULL,
    data   BLOB    NOT NULL
);

CREATE TABLE block (
    id       INTEGER PRIMARY KEY,
    port     INTEGER NOT NULL,
    hour     INTEGER NOT NULL, -- unix time / 3600 s
    n        INTEGER NOT NULL,
    first_wh REAL,
    last_wh  REAL,
    wh       REAL,
    max_w    REAL,
    mean_w   REAL,
    minutes  INTEGER NOT NULL,
    busy     INTEGER NOT NULL,
    data     BLOB    NOT NULL
);
CREATE UNIQUE INDEX block_port_hour ON block (port, hour);

CREATE TABLE daily (
    port    INTEGER NOT NULL,
    day     INTEGER NOT NULL, -- unix time / 86400 s
    samples INTEGER NOT NULL,
    minutes INTEGER NOT NULL,
    busy    INTEGER NOT NULL,
    wh      REAL,
    max_w   REAL,
    PRIMARY KEY (port, day)
) WITHOUT ROWID;

CREATE TABLE state (
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;
