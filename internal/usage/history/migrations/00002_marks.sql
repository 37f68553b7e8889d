-- +goose Up
-- A station may have several marks.
CREATE TABLE marked (
    owner    TEXT    NOT NULL,
    station  TEXT    NOT NULL,
    from_day INTEGER NOT NULL,
    to_day   INTEGER NOT NULL, -- not included
    marks    INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (owner, station, from_day)
) WITHOUT ROWID;
INSERT INTO marked (owner, station, from_day, to_day, marks) SELECT owner, station, from_day, to_day, marks FROM dirty;
DROP TABLE dirty;
ALTER TABLE marked RENAME TO dirty;
CREATE INDEX dirty_newest ON dirty (to_day);
