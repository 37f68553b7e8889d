-- +goose Up
-- Whether a screen on a wall shows live pictures of cameras.
ALTER TABLE kiosks ADD COLUMN video INTEGER NOT NULL DEFAULT 0;
