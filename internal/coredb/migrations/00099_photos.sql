-- +goose Up
-- Photos of work orders. The pictures are files in photos/ of the data folder,
-- named by id; a row is written before its files and removed after them, so that
-- a kill leaves no file that nobody knows.
CREATE TABLE work_order_photos (
    id         TEXT    NOT NULL PRIMARY KEY,
    work_order TEXT    NOT NULL,
    digest     TEXT    NOT NULL, -- of what was sent: sent again, it is the same photo
    kept       INTEGER NOT NULL, -- 0: its files are being written or removed
    taken_by   TEXT    NOT NULL, -- opaque id
    at         INTEGER NOT NULL,
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    bytes      INTEGER NOT NULL, -- of both sizes
    UNIQUE (work_order, digest)
);
