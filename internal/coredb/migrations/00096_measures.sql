-- +goose Up
-- What figures and lists take from incidents, without their stories: a year of
-- them is read in the time of a page. Times are microseconds, 0 is none.
CREATE TABLE incident_measures (
    opened_at    INTEGER NOT NULL,
    id           TEXT    NOT NULL,
    closed_at    INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL,
    began_at     INTEGER NOT NULL,
    repaired_at  INTEGER NOT NULL,
    down_since   INTEGER NOT NULL,
    down         INTEGER NOT NULL, -- microseconds
    kind         TEXT    NOT NULL,
    family       TEXT    NOT NULL,
    severity     TEXT    NOT NULL,
    site         TEXT    NOT NULL,
    station      TEXT    NOT NULL,
    evse         INTEGER NOT NULL,
    child        INTEGER NOT NULL,
    aside        INTEGER NOT NULL,
    repeats      INTEGER NOT NULL,
    not_proven   INTEGER NOT NULL,
    healed_by    TEXT    NOT NULL,
    ack_due      INTEGER NOT NULL,
    repair_due   INTEGER NOT NULL,
    ack_late     INTEGER NOT NULL,
    repair_late  INTEGER NOT NULL,
    PRIMARY KEY (opened_at, id)
) WITHOUT ROWID;
CREATE INDEX incident_measures_by_end ON incident_measures (closed_at, opened_at, id);
CREATE INDEX incident_measures_not_proven ON incident_measures (id) WHERE not_proven = 1;

-- Those from before: how long they were down is their time from opening to
-- repair, and what healed them is not known.
INSERT INTO incident_measures
SELECT opened_at, id, closed_at,
    coalesce(CAST(unixepoch(data ->> 'acknowledgedAt', 'subsec') * 1000000 AS INTEGER), 0), opened_at,
    coalesce(CAST(unixepoch(data ->> 'repairedAt', 'subsec') * 1000000 AS INTEGER), 0),
    iif(data ->> 'repairedAt' IS NULL AND closed_at = 0, opened_at, 0),
    iif(data ->> 'repairedAt' IS NULL, 0, max(CAST(unixepoch(data ->> 'repairedAt', 'subsec') * 1000000 AS INTEGER) - opened_at, 0)),
    kind, coalesce(data ->> 'family', ''), severity, site, coalesce(data ->> 'station', ''), coalesce(data ->> 'evse', 0), parent IS NOT NULL,
    coalesce(data ->> 'verdict', 'real') <> 'real' OR data ->> 'mergedInto' IS NOT NULL OR coalesce(data ->> 'planned', 0),
    coalesce(data ->> 'repeats', 0), coalesce(data ->> 'recoveredNotProven', 0), '',
    coalesce(CAST(unixepoch(data ->> 'slaAckDueAt', 'subsec') * 1000000 AS INTEGER), 0),
    coalesce(CAST(unixepoch(data ->> 'slaRepairDueAt', 'subsec') * 1000000 AS INTEGER), 0),
    EXISTS (SELECT 1 FROM json_each(data, '$.slaBreached') WHERE value = 'ack'),
    EXISTS (SELECT 1 FROM json_each(data, '$.slaBreached') WHERE value = 'repair')
FROM incidents;
