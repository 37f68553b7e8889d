-- +goose Up
-- What was told last of how a station proves itself, or of certificates of ours; a
-- row goes when all is well again.
CREATE TABLE proof_told (
    about TEXT PRIMARY KEY,
    said  TEXT NOT NULL
) WITHOUT ROWID;
