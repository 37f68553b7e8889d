-- +goose Up
-- What people have to do at a site. The columns are what lists are selected by;
-- the order itself is in data.
CREATE TABLE work_orders (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL UNIQUE,
    incident TEXT    NOT NULL, -- empty: none
    site     TEXT    NOT NULL,
    station  TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    assignee TEXT    NOT NULL, -- opaque id; empty: nobody
    data     TEXT    NOT NULL  -- JSON
);
CREATE INDEX work_orders_by_state ON work_orders (state, number);
CREATE INDEX work_orders_by_station ON work_orders (station, state);
CREATE UNIQUE INDEX work_orders_one_open ON work_orders (incident)
    WHERE incident <> '' AND state NOT IN ('done', 'cancelled');
