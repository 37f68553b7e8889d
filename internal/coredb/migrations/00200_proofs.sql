-- +goose Up
-- When the password of a station was last set; 0: before this was noted.
ALTER TABLE stations ADD COLUMN password_at INTEGER NOT NULL DEFAULT 0;

-- The change of a station's password that is under way, or was the last. Until the
-- new one is proven both count: salt, hash and raw are of the new one, sealed is it.
-- After that they are of the old one, which is recognised and refused.
CREATE TABLE rotations (
    station     TEXT    PRIMARY KEY,
    state       TEXT    NOT NULL,
    by          TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    sent_at     INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER NOT NULL DEFAULT 0,
    attempts    INTEGER NOT NULL DEFAULT 0,
    doubt       INTEGER NOT NULL DEFAULT 0,
    said        TEXT    NOT NULL DEFAULT '',
    salt        BLOB,
    hash        BLOB,
    raw         BLOB,
    sealed      BLOB
) WITHOUT ROWID;

-- Certificates that stations got by us, and what became of them.
CREATE TABLE station_certificates (
    fingerprint TEXT    PRIMARY KEY,
    station     TEXT    NOT NULL,
    serial      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    issuer      TEXT    NOT NULL,
    not_before  INTEGER NOT NULL,
    not_after   INTEGER NOT NULL,
    chain       TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    said        TEXT    NOT NULL DEFAULT '',
    issued_at   INTEGER NOT NULL,
    answered_at INTEGER NOT NULL DEFAULT 0,
    used_at     INTEGER NOT NULL DEFAULT 0,
    revoked_at  INTEGER NOT NULL DEFAULT 0,
    revoked_by  TEXT    NOT NULL DEFAULT '',
    reason      TEXT    NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX station_certificates_station ON station_certificates (station, issued_at);

-- The renewal of a station's certificate that is under way, or was the last.
CREATE TABLE renewals (
    station     TEXT    PRIMARY KEY,
    state       TEXT    NOT NULL,
    by          TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL DEFAULT 0,
    attempts    INTEGER NOT NULL DEFAULT 0,
    said        TEXT    NOT NULL DEFAULT '',
    request     TEXT    NOT NULL DEFAULT '',
    request_id  INTEGER,
    fingerprint TEXT    NOT NULL DEFAULT ''
) WITHOUT ROWID;
