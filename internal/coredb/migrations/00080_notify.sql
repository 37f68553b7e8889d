-- +goose Up
-- What people are told, by what way and how far it has come.

-- Changes of incidents, committed with what caused them. Read behind a cursor.
CREATE TABLE notices (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    key        TEXT NOT NULL UNIQUE,
    data       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    incident   TEXT GENERATED ALWAYS AS (data ->> '$.incident') VIRTUAL
);
CREATE INDEX notices_by_incident ON notices (incident, seq);

-- Ways to people and to other systems. Secrets stand apart: they are never read
-- to be shown.
CREATE TABLE channels (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    type        TEXT NOT NULL,
    enabled     INTEGER NOT NULL,
    settings    TEXT NOT NULL,
    secrets     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    ok_at       INTEGER NOT NULL DEFAULT 0,
    failed_at   INTEGER NOT NULL DEFAULT 0,
    failure     TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;

CREATE TABLE schedules (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    data       TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE escalations (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    data       TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) WITHOUT ROWID;

-- One row per notice and channel. Rows of a batch went out as one message.
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    key             TEXT NOT NULL UNIQUE,
    channel         TEXT NOT NULL,
    incident        TEXT NOT NULL,
    change          TEXT NOT NULL,
    severity        TEXT NOT NULL,
    site            TEXT NOT NULL,
    route           TEXT NOT NULL,
    bunch           TEXT NOT NULL,
    data            TEXT NOT NULL,
    state           TEXT NOT NULL,
    batch           TEXT NOT NULL DEFAULT '',
    attempts        INTEGER NOT NULL DEFAULT 0,
    maybe_duplicate INTEGER NOT NULL DEFAULT 0,
    reason          TEXT NOT NULL DEFAULT '',
    due_at          INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    changed_at      INTEGER NOT NULL,
    sent_at         INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX deliveries_waiting ON deliveries (channel, due_at) WHERE state = 'waiting';
CREATE INDEX deliveries_begun ON deliveries (channel) WHERE state = 'sending';
CREATE INDEX deliveries_by_incident ON deliveries (incident, channel);
CREATE INDEX deliveries_by_bunch ON deliveries (channel, bunch, state);
CREATE INDEX deliveries_settled ON deliveries (changed_at) WHERE state IN ('sent', 'failed', 'skipped');

-- What happens later if nobody acknowledges: the next step, or a repetition.
CREATE TABLE follow_ups (
    key      TEXT PRIMARY KEY,
    incident TEXT NOT NULL,
    due_at   INTEGER NOT NULL,
    data     TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX follow_ups_due ON follow_ups (due_at);
CREATE INDEX follow_ups_by_incident ON follow_ups (incident);

-- Alerts that an external system must be told again while they last.
CREATE TABLE standing_alerts (
    channel  TEXT NOT NULL,
    incident TEXT NOT NULL,
    data     TEXT NOT NULL,
    PRIMARY KEY (channel, incident)
) WITHOUT ROWID;

-- Signed links that were used, until they would have expired anyway.
CREATE TABLE used_links (
    id         TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE notify_progress (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
