-- +goose Up
-- When a person last came in, which outlives the session, and by which browser.
ALTER TABLE users ADD COLUMN signed_in_at INTEGER NOT NULL DEFAULT 0;
UPDATE users SET signed_in_at = coalesce((SELECT max(at) FROM audit
    WHERE action = 'signin' AND subject = 'user/' || users.id), 0);
ALTER TABLE web_sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';
