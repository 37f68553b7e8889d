-- +goose Up
-- Screens on walls. claim is the hash of the secret that the screen made for
-- itself and gives once to be let in; session is that of its cookie after that.
CREATE TABLE kiosks (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    claim        BLOB UNIQUE,
    session      BLOB UNIQUE,
    views        TEXT NOT NULL DEFAULT '[]',
    rotate_s     INTEGER NOT NULL DEFAULT 30,
    user_agent   TEXT NOT NULL DEFAULT '',
    remote_addr  TEXT NOT NULL DEFAULT '',
    created_by   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    seen_at      INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
