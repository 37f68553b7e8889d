-- +goose Up
-- A port of the past whose station is not enrolled belongs to the site that an
-- import names (owner); one that we hear belongs to nobody and moves with its
-- station.
CREATE TABLE port (
    id      INTEGER PRIMARY KEY,
    owner   TEXT    NOT NULL,
    station TEXT    NOT NULL,
    evse    INTEGER NOT NULL,
    site    TEXT    NOT NULL,
    rated_w REAL    NOT NULL DEFAULT 0, -- 0: unknown
    current TEXT    NOT NULL DEFAULT '',
    UNIQUE (owner, station, evse)
);
CREATE INDEX port_by_site ON port (site);

-- Days are counted from 1970 in UTC.
CREATE TABLE port_day (
    port INTEGER NOT NULL,
    day  INTEGER NOT NULL,
    live INTEGER NOT NULL, -- we heard something of it ourselves
    data BLOB    NOT NULL,
    PRIMARY KEY (port, day)
) WITHOUT ROWID;

CREATE TABLE site_day (
    site TEXT    NOT NULL,
    day  INTEGER NOT NULL,
    data BLOB    NOT NULL,
    PRIMARY KEY (site, day)
) WITHOUT ROWID;

-- Days of stations that must be counted again, newest first.
CREATE TABLE dirty (
    owner    TEXT    NOT NULL,
    station  TEXT    NOT NULL,
    from_day INTEGER NOT NULL,
    to_day   INTEGER NOT NULL, -- not included
    marks    INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (owner, station)
) WITHOUT ROWID;
CREATE INDEX dirty_newest ON dirty (to_day);

-- Days of sites whose ports have changed.
CREATE TABLE stale (
    site TEXT    NOT NULL,
    day  INTEGER NOT NULL,
    PRIMARY KEY (site, day)
) WITHOUT ROWID;

-- Imports as they were when their ports were last marked.
CREATE TABLE import (
    id         INTEGER PRIMARY KEY,
    changed_at INTEGER NOT NULL
);

CREATE TABLE state (
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;
