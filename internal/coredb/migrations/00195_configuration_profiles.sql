-- +goose Up
-- How stations are to be set, as people said; of the profile that comes along only what
-- differs from it.
CREATE TABLE configuration_profiles (
    id         TEXT    PRIMARY KEY,
    data       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- How the settings of a station stand to that.
CREATE TABLE setting_records (
    station TEXT PRIMARY KEY,
    data    TEXT NOT NULL
) WITHOUT ROWID;

-- Which measurands stations of a model and firmware take for a setting.
CREATE TABLE taken_measurands (
    make    TEXT NOT NULL, -- maker, model, firmware and version
    setting TEXT NOT NULL,
    data    TEXT NOT NULL,
    PRIMARY KEY (make, setting)
) WITHOUT ROWID;
