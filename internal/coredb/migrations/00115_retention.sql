-- +goose Up
-- How long pictures stay: everywhere (site is empty) and at single sites.
CREATE TABLE video_retention (
    site TEXT PRIMARY KEY,
    data TEXT NOT NULL
) WITHOUT ROWID;

-- Cameras that nobody set up any more, as they were, while there is still
-- something of them. Their passwords are gone.
CREATE TABLE removed_cameras (
    id         TEXT    PRIMARY KEY,
    site       TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    removed_at INTEGER NOT NULL,
    removed_by TEXT    NOT NULL -- opaque id
) WITHOUT ROWID;

-- What was never decided is not a decision: such cameras follow their site.
UPDATE cameras SET data = json_set(data, '$.promisedDays', 0)
    WHERE json_extract(data, '$.promisedDays') = 3 AND coalesce(json_extract(data, '$.purpose'), '') = '';
