-- +goose Up
-- Whose browser a channel leads to; empty: it is nobody's, as all others are.
ALTER TABLE channels ADD COLUMN owner TEXT NOT NULL DEFAULT '';
