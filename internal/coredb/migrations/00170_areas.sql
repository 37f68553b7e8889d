-- +goose Up
-- Parts of sites whose doors say who is inside, and groups of doors of which only one opens
-- at a time.
CREATE TABLE access_areas    (id TEXT PRIMARY KEY, name TEXT NOT NULL, data TEXT NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE access_airlocks (id TEXT PRIMARY KEY, name TEXT NOT NULL, data TEXT NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;

-- Since when somebody, or everybody (who is empty), is not thought to be inside any more.
CREATE TABLE area_pardons (
    area TEXT    NOT NULL,
    who  TEXT    NOT NULL,
    at   INTEGER NOT NULL,
    PRIMARY KEY (area, who)
) WITHOUT ROWID;
