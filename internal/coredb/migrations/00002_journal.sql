-- +goose Up

-- Names that many rows repeat are stored once.
CREATE TABLE subjects (
    id   INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (type, name)
);

CREATE TABLE kinds (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Kind 1 is named by the partial indexes below: measurements, nine rows in ten,
-- are found by sequence only.
INSERT INTO kinds (id, name) VALUES (1, 'meter');

-- All times of the journal are microseconds of Unix time.
CREATE TABLE events (
    seq         INTEGER PRIMARY KEY,
    kind        INTEGER NOT NULL,
    version     INTEGER NOT NULL DEFAULT 1,
    subject     INTEGER NOT NULL,
    evse        INTEGER NOT NULL,
    connector   INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    device_at   INTEGER,
    received_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    quality     INTEGER NOT NULL,
    origin      INTEGER NOT NULL,
    cause       INTEGER,
    quirks      TEXT,
    body        TEXT NOT NULL
);
CREATE INDEX events_by_subject ON events (subject, at, kind) WHERE kind <> 1;
CREATE INDEX events_by_kind ON events (kind, at) WHERE kind <> 1;

-- What a driver experienced of a transaction. Rows of open sessions may lag
-- behind the fleet's state, which is the truth for them.
CREATE TABLE sessions (
    n              INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    station        INTEGER NOT NULL,
    evse           INTEGER NOT NULL,
    transaction_id TEXT NOT NULL,
    token          TEXT,
    active         INTEGER NOT NULL,
    started_at     INTEGER NOT NULL,
    ended_at       INTEGER,
    start_key      TEXT,
    stop_key       TEXT,
    closed_seq     INTEGER,
    data           TEXT NOT NULL
);
CREATE INDEX sessions_by_transaction ON sessions (station, transaction_id);
CREATE INDEX sessions_by_start_key ON sessions (station, start_key) WHERE start_key IS NOT NULL;
CREATE INDEX sessions_by_stop_key ON sessions (station, stop_key) WHERE stop_key IS NOT NULL;
CREATE INDEX sessions_by_station ON sessions (station, started_at);
CREATE INDEX sessions_by_time ON sessions (started_at, ended_at);
CREATE INDEX sessions_by_token ON sessions (token, started_at) WHERE token IS NOT NULL;
CREATE INDEX sessions_open ON sessions (started_at) WHERE active = 1;

-- Closed sessions as they were until the batch that ended with a sequence
-- changed them, since the last checkpoint: a start folds the tail again and must
-- see what the fold saw then.
CREATE TABLE sessions_before (
    id         TEXT NOT NULL,
    until      INTEGER NOT NULL,
    closed_seq INTEGER NOT NULL,
    data       TEXT NOT NULL,
    PRIMARY KEY (id, until)
) WITHOUT ROWID;

-- Bitemporal state: as known from known_at on, the state held from valid_from
-- until the next row's valid_from. Rows are only added.
CREATE TABLE points (
    station    INTEGER NOT NULL,
    evse       INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    known_at   INTEGER NOT NULL,
    state      TEXT NOT NULL,
    PRIMARY KEY (station, evse, valid_from, seq)
) WITHOUT ROWID;

CREATE TABLE commands (
    n           INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    station     INTEGER NOT NULL,
    action      TEXT NOT NULL,
    payload     TEXT,
    requested_by TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    deadline    INTEGER,
    status      TEXT NOT NULL,
    response    TEXT,
    error_code  TEXT,
    description TEXT,
    late        INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER
);
CREATE INDEX commands_by_station ON commands (station, n);

-- What the core wants done. state: waiting, started, done, expired, timeout.
CREATE TABLE outbox (
    n        INTEGER PRIMARY KEY,
    key      TEXT NOT NULL UNIQUE,
    station  TEXT NOT NULL,
    action   TEXT NOT NULL,
    payload  TEXT NOT NULL,
    reason   TEXT NOT NULL,
    cause    INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    expires  INTEGER NOT NULL,
    state    TEXT NOT NULL,
    outcome  TEXT,
    changed_at INTEGER NOT NULL
);
CREATE INDEX outbox_due ON outbox (due) WHERE state = 'waiting';
CREATE INDEX outbox_started ON outbox (n) WHERE state = 'started';
CREATE INDEX outbox_finished ON outbox (changed_at) WHERE state NOT IN ('waiting', 'started');

-- What was odd about the frames of a station.
CREATE TABLE conformance (
    station  INTEGER NOT NULL,
    firmware TEXT NOT NULL,
    code     TEXT NOT NULL,
    vendor   TEXT NOT NULL,
    model    TEXT NOT NULL,
    count    INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    example  INTEGER NOT NULL,
    PRIMARY KEY (station, firmware, code)
) WITHOUT ROWID;
CREATE INDEX conformance_by_model ON conformance (vendor, model, firmware);

-- The fleet as of a sequence. A station counts with its newest row that is not
-- above the checkpoint's seq; data is NULL for a removed station.
CREATE TABLE checkpoint (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    version     INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    meta        TEXT NOT NULL
);
CREATE TABLE checkpoint_stations (
    n       INTEGER PRIMARY KEY,
    station TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    data    TEXT,
    UNIQUE (station, seq)
);

CREATE TABLE projections (
    name       TEXT PRIMARY KEY,
    cursor     TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) WITHOUT ROWID;

-- What retention deleted, by class: events up to seq, recorded before at.
CREATE TABLE horizons (
    class TEXT PRIMARY KEY,
    seq   INTEGER NOT NULL,
    at    INTEGER NOT NULL
) WITHOUT ROWID;

-- When we were up; the time between is not observed.
CREATE TABLE server_runs (
    seq        INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    alive_at   INTEGER NOT NULL,
    stopped    INTEGER NOT NULL DEFAULT 0
);
