-- +goose Up
-- What people look for at the call desk and in lists.

-- A caller reads out the last characters of a card: the folded value backwards.
ALTER TABLE tokens ADD COLUMN tail TEXT GENERATED ALWAYS AS (
    substr(folded, -1, 1) || substr(folded, -2, 1) || substr(folded, -3, 1) || substr(folded, -4, 1) ||
    substr(folded, -5, 1) || substr(folded, -6, 1) || substr(folded, -7, 1) || substr(folded, -8, 1)
) VIRTUAL;
CREATE INDEX tokens_tail ON tokens (tail) WHERE folded IS NOT NULL;

-- Sessions of a site, newest first, and by what the station called them.
ALTER TABLE sessions ADD COLUMN site TEXT NOT NULL DEFAULT '';
UPDATE sessions SET site = coalesce(data ->> '$.siteId', '');
CREATE INDEX sessions_by_site ON sessions (site, started_at);
CREATE INDEX sessions_by_transaction_alone ON sessions (transaction_id);
