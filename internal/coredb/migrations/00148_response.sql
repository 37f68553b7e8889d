-- +goose Up
-- What people judged, for how often each rule was right: a row for each detector
-- that spoke. Verdicts are few beside incidents.
CREATE TABLE incident_verdicts (
    incident     TEXT    NOT NULL,
    detector     TEXT    NOT NULL,
    opened_at    INTEGER NOT NULL,
    site         TEXT    NOT NULL,
    verdict      TEXT    NOT NULL,
    false_reason TEXT    NOT NULL,
    PRIMARY KEY (incident, detector)
) WITHOUT ROWID;
CREATE INDEX incident_verdicts_by_time ON incident_verdicts (opened_at);

INSERT OR IGNORE INTO incident_verdicts
SELECT incidents.id, d.value, opened_at, site, data ->> 'verdict', ''
FROM incidents, json_each(data, '$.detectors') AS d
WHERE data ->> 'verdict' IS NOT NULL AND data ->> 'mergedInto' IS NULL;

-- Every version of every list of steps that people made: an incident keeps the one
-- it began with.
CREATE TABLE procedures (
    id         TEXT    NOT NULL, -- CLASS or CLASS@SITE
    version    INTEGER NOT NULL,
    data       TEXT    NOT NULL,
    by         TEXT    NOT NULL, -- opaque id
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id, version)
) WITHOUT ROWID;
