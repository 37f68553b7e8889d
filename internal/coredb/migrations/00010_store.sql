-- +goose Up
-- Times are Unix milliseconds; zero means none.
CREATE TABLE sites (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    address       TEXT NOT NULL DEFAULT '',
    latitude      REAL,
    longitude     REAL,
    time_zone     TEXT NOT NULL DEFAULT '',
    opening_hours TEXT NOT NULL DEFAULT '',
    grid_limit_w  REAL NOT NULL DEFAULT 0,
    free_vend     INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL
) WITHOUT ROWID;

-- Enrolment: what people decided about a station, and what a pending one said
-- of itself.
CREATE TABLE stations (
    id              TEXT PRIMARY KEY,
    site_id         TEXT NOT NULL DEFAULT '',
    label           TEXT NOT NULL DEFAULT '',
    onboarding      TEXT NOT NULL,
    profile         INTEGER NOT NULL DEFAULT 0,
    password_salt   BLOB,
    password_hash   BLOB,
    password_raw    BLOB,
    cert_subject    TEXT NOT NULL DEFAULT '',
    layout          TEXT NOT NULL DEFAULT '',
    simulated       INTEGER NOT NULL DEFAULT 0,
    commissioned_at INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    vendor          TEXT NOT NULL DEFAULT '',
    model           TEXT NOT NULL DEFAULT '',
    serial          TEXT NOT NULL DEFAULT '',
    protocol        TEXT NOT NULL DEFAULT '',
    remote_addr     TEXT NOT NULL DEFAULT '',
    seen_at         INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX stations_site ON stations (site_id);

-- Token values live here and nowhere else; an erased one keeps its id only.
CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    type       TEXT NOT NULL,
    value      TEXT,
    folded     TEXT,
    first_seen INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX tokens_value ON tokens (folded, type) WHERE folded IS NOT NULL;

CREATE TABLE credentials (
    id              TEXT PRIMARY KEY,
    token_id        TEXT NOT NULL UNIQUE REFERENCES tokens (id),
    status          TEXT NOT NULL,
    expires_at      INTEGER NOT NULL DEFAULT 0,
    parent_token_id TEXT NOT NULL DEFAULT '',
    max_concurrent  INTEGER NOT NULL DEFAULT 0,
    label           TEXT NOT NULL DEFAULT '',
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) WITHOUT ROWID;

-- version is what we sent last and the station accepted, reported_version what
-- it said when asked.
CREATE TABLE local_lists (
    station          TEXT PRIMARY KEY,
    version          INTEGER NOT NULL DEFAULT 0,
    updated_at       INTEGER NOT NULL DEFAULT 0,
    reported_version INTEGER,
    reported_at      INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE local_list_entries (
    station  TEXT NOT NULL,
    token_id TEXT NOT NULL,
    info     TEXT NOT NULL,
    PRIMARY KEY (station, token_id)
) WITHOUT ROWID;

CREATE TABLE reservations (
    station         TEXT NOT NULL,
    reservation_id  INTEGER NOT NULL,
    evse            INTEGER NOT NULL DEFAULT 0,
    token_id        TEXT NOT NULL DEFAULT '',
    parent_token_id TEXT NOT NULL DEFAULT '',
    expires_at      INTEGER NOT NULL DEFAULT 0,
    status          TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (station, reservation_id)
) WITHOUT ROWID;

CREATE TABLE charging_profiles (
    station        TEXT NOT NULL,
    profile_id     INTEGER NOT NULL,
    evse           INTEGER NOT NULL,
    purpose        TEXT NOT NULL DEFAULT '',
    stack_level    INTEGER NOT NULL DEFAULT 0,
    transaction_id TEXT NOT NULL DEFAULT '',
    profile        TEXT NOT NULL,
    command_id     TEXT NOT NULL DEFAULT '',
    accepted_at    INTEGER NOT NULL,
    PRIMARY KEY (station, profile_id)
) WITHOUT ROWID;

-- What a station last said about its settings: configuration keys of 1.6
-- (component empty) and variables of 2.x.
CREATE TABLE configuration (
    station            TEXT NOT NULL,
    component          TEXT NOT NULL,
    component_instance TEXT NOT NULL,
    evse               INTEGER NOT NULL,
    connector          INTEGER NOT NULL,
    variable           TEXT NOT NULL,
    variable_instance  TEXT NOT NULL,
    attribute          TEXT NOT NULL,
    value              TEXT,
    mutability         TEXT NOT NULL DEFAULT '',
    at                 INTEGER NOT NULL,
    PRIMARY KEY (station, component, component_instance, evse, connector, variable, variable_instance, attribute)
) WITHOUT ROWID;

-- Commands whose answer will change one of the tables above.
CREATE TABLE open_commands (
    id      TEXT PRIMARY KEY,
    station TEXT NOT NULL,
    action  TEXT NOT NULL,
    payload TEXT NOT NULL,
    at      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL COLLATE NOCASE UNIQUE,
    password      TEXT NOT NULL DEFAULT '',
    must_set      INTEGER NOT NULL DEFAULT 0,
    disabled      INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL
) WITHOUT ROWID;

-- A grant is (role, sites), of a user or of an API token; sites is a JSON list
-- and ["*"] means all.
CREATE TABLE grants (
    owner TEXT NOT NULL,
    role  TEXT NOT NULL,
    sites TEXT NOT NULL,
    PRIMARY KEY (owner, role)
) WITHOUT ROWID;

CREATE TABLE web_sessions (
    hash        BLOB PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at  INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    reauth_at   INTEGER NOT NULL DEFAULT 0,
    remote_addr TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX web_sessions_user ON web_sessions (user_id, seen_at);

CREATE TABLE api_tokens (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL DEFAULT 0,
    used_at    INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE signin_links (
    hash       BLOB PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE refused_handshakes (
    identity TEXT NOT NULL,
    source   TEXT NOT NULL,
    reason   TEXT NOT NULL,
    count    INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (identity, source)
) WITHOUT ROWID;

-- The audit log: rows are added, each sealed with the hash of the one before.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL,
    hash    BLOB NOT NULL
);
-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log cannot be changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log cannot be changed');
END;
-- +goose StatementEnd
