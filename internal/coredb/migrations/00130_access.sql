-- +goose Up
-- People with credentials. Their names stand here only and can be erased.
CREATE TABLE people (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    changed_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX people_name ON people (name COLLATE NOCASE, id);

CREATE TABLE companies        (id TEXT PRIMARY KEY, name TEXT NOT NULL, data TEXT NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE access_groups    (id TEXT PRIMARY KEY, name TEXT NOT NULL, data TEXT NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE access_schedules (id TEXT PRIMARY KEY, name TEXT NOT NULL, data TEXT NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE holidays         (id TEXT PRIMARY KEY, name TEXT NOT NULL, data TEXT NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE access_rows      (id TEXT PRIMARY KEY, name TEXT NOT NULL, data TEXT NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE lockdowns        (id TEXT PRIMARY KEY, name TEXT NOT NULL, data TEXT NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE written_policies (id TEXT PRIMARY KEY, name TEXT NOT NULL, data TEXT NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;

ALTER TABLE credentials ADD COLUMN kind       TEXT    NOT NULL DEFAULT 'rfid';
ALTER TABLE credentials ADD COLUMN person     TEXT    NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN valid_from INTEGER NOT NULL DEFAULT 0;
CREATE INDEX credentials_person ON credentials (person) WHERE person <> '';

-- What held before there were rows. It can be changed and removed like any other.
INSERT INTO access_rows (id, name, data, changed_at) VALUES
    ('ar-drivers', 'Drivers', '{"name":"Drivers","to":[{"anyone":true}],"kinds":["evse"]}', 0);
