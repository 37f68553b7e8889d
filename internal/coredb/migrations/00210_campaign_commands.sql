-- +goose Up
-- By which command a station was asked, so that an answer that comes late corrects what
-- is said of it.
ALTER TABLE campaign_stations ADD COLUMN command TEXT NOT NULL DEFAULT '';
CREATE INDEX campaign_stations_by_command ON campaign_stations (command) WHERE command != '';
