-- +goose Up
-- Copies of pictures on their way to the second place, and what became of the
-- newest. The rows are those of the queue.
CREATE TABLE offsite_copies (
    id   TEXT PRIMARY KEY,
    data TEXT NOT NULL
) WITHOUT ROWID;
