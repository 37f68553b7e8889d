-- +goose Up
-- What drivers may see of a site, and what people tell them.
ALTER TABLE sites ADD COLUMN public INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sites ADD COLUMN public_name TEXT NOT NULL DEFAULT '';
ALTER TABLE sites ADD COLUMN notices TEXT NOT NULL DEFAULT '';
