-- +goose Up
-- The drawing or photo of a site, as we encoded it, and where its stations
-- stand on it: parts of its width and height.
CREATE TABLE site_plans (
    site       TEXT PRIMARY KEY,
    type       TEXT    NOT NULL,
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    digest     TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    image      BLOB    NOT NULL
);
CREATE TABLE site_pins (
    site    TEXT NOT NULL,
    station TEXT NOT NULL,
    x       REAL NOT NULL,
    y       REAL NOT NULL,
    PRIMARY KEY (site, station)
) WITHOUT ROWID;
