-- +goose Up
-- Other central systems that stations are relayed to.
CREATE TABLE upstreams (
    id         TEXT    PRIMARY KEY,
    data       TEXT    NOT NULL,
    secret     BLOB,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Which system a station is relayed to, or all stations of a site that say nothing
-- themselves: station/ID or site/ID.
CREATE TABLE relays (
    subject   TEXT PRIMARY KEY,
    upstream  TEXT NOT NULL,
    observers TEXT NOT NULL
) WITHOUT ROWID;
