-- +goose Up
-- What was done to one thing: a pack of evidence shows who made, saw and took it.
CREATE INDEX audit_by_subject ON audit (subject, seq);
