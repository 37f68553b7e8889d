-- +goose Up
-- A pass dies with its work order; its holder opens it by a link, of which only the
-- hash is kept. The digits of a PIN are sealed.
ALTER TABLE credentials ADD COLUMN work_order TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN link       TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN pin        TEXT NOT NULL DEFAULT '';
CREATE INDEX credentials_work_order ON credentials (work_order) WHERE work_order <> '';
CREATE INDEX credentials_link       ON credentials (link) WHERE link <> '';
