-- +goose Up
-- Names of what bridges of doors told: each becomes events once, however often it is
-- told. They are kept for longer than anything may be told late.
CREATE TABLE door_told (
    controller TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (controller, id)
) WITHOUT ROWID;
CREATE INDEX door_told_at ON door_told (at);
