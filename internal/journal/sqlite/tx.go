package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// tx is one transaction of the writer.
type tx struct {
	s     *Store
	sql   *sql.Tx
	stmts map[*sql.Stmt]*sql.Stmt
	fresh map[subjectKey]int64 // subjects first seen in this transaction
	err   error                // of a history read
}

// Begin opens the writer's transaction.
func (s *Store) Begin(ctx context.Context) (journal.Tx, error) {
	t, err := s.db.Writer().BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &tx{s: s, sql: t, stmts: make(map[*sql.Stmt]*sql.Stmt)}, nil
}

func (t *tx) SQL() *sql.Tx { return t.sql }

// stmt returns the prepared statement as part of the transaction.
func (t *tx) stmt(p *sql.Stmt) *sql.Stmt {
	b, ok := t.stmts[p]
	if !ok {
		b = t.sql.Stmt(p)
		t.stmts[p] = b
	}
	return b
}

// Savepoint runs fn so that its failure leaves no trace.
func (t *tx) Savepoint(fn func() error) (err error, broken bool) {
	if _, err := t.sql.Exec(`SAVEPOINT one`); err != nil {
		return err, true
	}
	if err := fn(); err != nil {
		if sick(err) {
			return err, true
		}
		if _, undo := t.sql.Exec(`ROLLBACK TO one`); undo != nil {
			return errors.Join(err, undo), true
		}
		if _, undo := t.sql.Exec(`RELEASE one`); undo != nil {
			return errors.Join(err, undo), true
		}
		return err, false
	}
	if _, err := t.sql.Exec(`RELEASE one`); err != nil {
		return err, true
	}
	return nil, false
}

// sick reports errors of the database as a whole, which a retry may cure, in
// contrast to those of one statement.
func sick(err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return errors.Is(err, sql.ErrTxDone) || errors.Is(err, sql.ErrConnDone)
	}
	switch e.Code() & 0xff {
	case codes.SQLITE_FULL, codes.SQLITE_IOERR, codes.SQLITE_NOMEM, codes.SQLITE_BUSY, codes.SQLITE_LOCKED,
		codes.SQLITE_CORRUPT, codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN, codes.SQLITE_NOTADB:
		return true
	}
	return false
}

// Commit makes the transaction durable.
func (t *tx) Commit() error {
	if t.err != nil {
		return errors.Join(fmt.Errorf("read history: %w", t.err), t.Rollback())
	}
	if err := t.sql.Commit(); err != nil {
		return errors.Join(fmt.Errorf("commit: %w", err), t.Rollback())
	}
	t.s.learn(t.fresh)
	return nil
}

// Rollback forgets the transaction.
func (t *tx) Rollback() error {
	if err := t.sql.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// Write stores a batch.
func (t *tx) Write(r *journal.Rows) error {
	if err := t.writeEvents(r.Events); err != nil {
		return fmt.Errorf("store events: %w", err)
	}
	last := uint64(0)
	if n := len(r.Events); n > 0 {
		last = r.Events[n-1].Seq
	}
	if err := t.writeSessions(r.Sessions, r.Before, last); err != nil {
		return fmt.Errorf("store sessions: %w", err)
	}
	if err := t.writePoints(r.Points); err != nil {
		return fmt.Errorf("store states: %w", err)
	}
	if err := t.writeIntents(r.Intents); err != nil {
		return fmt.Errorf("store intents: %w", err)
	}
	if err := t.writeQuirks(r.Quirks); err != nil {
		return fmt.Errorf("store conformance: %w", err)
	}
	return nil
}

// subject returns the short id of a subject, given if it is new.
func (t *tx) subject(k subjectKey) (int64, error) {
	if id, ok := t.s.subjectID(k); ok {
		return id, nil
	}
	if id, ok := t.fresh[k]; ok {
		return id, nil
	}
	var id int64
	err := t.sql.QueryRow(`INSERT INTO subjects (type, name) VALUES (?, ?)
		ON CONFLICT (type, name) DO UPDATE SET name = name RETURNING id`, string(k.kind), k.name).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("name subject: %w", err)
	}
	if t.fresh == nil {
		t.fresh = make(map[subjectKey]int64)
	}
	t.fresh[k] = id
	return id, nil
}

func (t *tx) station(id string) (int64, error) {
	return t.subject(subjectKey{event.StationSubject, id})
}

func (t *tx) writeEvents(rows []journal.Row) error {
	for _, chunk := range t.s.w.events.split(len(rows)) {
		stmt := t.stmt(chunk.stmt)
		args := t.s.w.args[:0]
		for _, row := range rows[chunk.from:chunk.to] {
			subject, err := t.subject(subjectKey{row.Subject.Type, row.Subject.ID})
			if err != nil {
				return err
			}
			kind, ok := t.s.kinds[row.Body.Kind()]
			if !ok {
				return fmt.Errorf("%q: %w", row.Body.Kind(), event.ErrKind)
			}
			var cause any
			if row.Cause != 0 {
				cause = int64(row.Cause)
			}
			args = append(args, int64(row.Seq), kind, subject, int64(row.Subject.EVSE), int64(row.Subject.Connector),
				row.At.UnixMicro(), orNull(row.DeviceAt), row.ReceivedAt.UnixMicro(), row.RecordedAt.UnixMicro(),
				int64(row.Quality), int64(row.Origin), cause, textOrNull(strings.Join(row.Quirks, "\n")), row.Encoded)
		}
		t.s.w.args = args
		if _, err := stmt.Exec(args...); err != nil {
			return err
		}
	}
	return t.follow(rows)
}

// follow keeps the rows that mirror events: our own runs and the commands.
func (t *tx) follow(rows []journal.Row) error {
	for _, row := range rows {
		var err error
		switch body := row.Body.(type) {
		case *event.ServerStarted:
			_, err = t.sql.Exec(`INSERT INTO server_runs (seq, started_at, alive_at) VALUES (?, ?, ?)`,
				int64(row.Seq), row.RecordedAt.UnixMicro(), row.RecordedAt.UnixMicro())
		case *event.ServerStopped:
			_, err = t.sql.Exec(`UPDATE server_runs SET alive_at = ?, stopped = 1 WHERE seq = (SELECT max(seq) FROM server_runs)`,
				row.RecordedAt.UnixMicro())
		case *event.Command:
			err = t.command(row.Event, body)
		case *event.CommandResult:
			err = t.commandResult(row.Event, body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) command(e *event.Event, c *event.Command) error {
	station, err := t.station(e.Subject.ID)
	if err != nil {
		return err
	}
	_, err = t.stmt(t.s.w.command).Exec(c.CommandID, station, c.Action, textOrNull(string(c.Payload)), c.By,
		e.RecordedAt.UnixMicro(), orNull(c.Deadline))
	return err
}

func (t *tx) commandResult(e *event.Event, r *event.CommandResult) error {
	late := int64(0)
	if r.Late {
		late = 1
	}
	_, err := t.stmt(t.s.w.commandResult).Exec(r.Status, textOrNull(string(r.Response)), textOrNull(r.ErrorCode),
		textOrNull(r.Description), late, e.RecordedAt.UnixMicro(), r.CommandID)
	return err
}

func (t *tx) writeSessions(list, before []*fleet.Session, last uint64) error {
	for _, s := range before {
		if _, err := t.sql.Exec(`INSERT INTO sessions_before (id, until, closed_seq, data)
			SELECT id, ?, closed_seq, data FROM sessions WHERE id = ? AND active = 0 ON CONFLICT DO NOTHING`,
			int64(last), s.ID); err != nil {
			return err
		}
	}
	slices.SortFunc(list, func(a, b *fleet.Session) int { return strings.Compare(orderOf(a.ID), orderOf(b.ID)) })
	for _, s := range list {
		station, err := t.station(s.Station)
		if err != nil {
			return err
		}
		data, err := json.Marshal(s)
		if err != nil {
			return err
		}
		active, closed := int64(1), any(nil)
		if s.State != fleet.SessionActive {
			active, closed = 0, int64(last)
		}
		if _, err := t.stmt(t.s.w.session).Exec(s.ID, station, int64(s.EVSE), s.TransactionID, textOrNull(s.TokenID), active,
			s.StartedAt.UnixMicro(), orNull(s.EndedAt), textOrNull(s.StartKey), textOrNull(s.StopKey), closed, string(data), s.SiteID, len(s.Flags) > 0); err != nil {
			return err
		}
	}
	return nil
}

// orderOf makes ids that count up sort as they count.
func orderOf(id string) string { return fmt.Sprintf("%03d%s", len(id), id) }

func (t *tx) writePoints(list []fleet.Point) error {
	for _, chunk := range t.s.w.points.split(len(list)) {
		args := t.s.w.args[:0]
		for _, p := range list[chunk.from:chunk.to] {
			station, err := t.station(p.Station)
			if err != nil {
				return err
			}
			args = append(args, station, int64(p.EVSE), p.ValidFrom.UnixMicro(), int64(p.Seq), p.KnownAt.UnixMicro(), p.State)
		}
		t.s.w.args = args
		if _, err := t.stmt(chunk.stmt).Exec(args...); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) writeIntents(list []journal.IntentRow) error {
	for _, in := range list {
		if _, err := t.stmt(t.s.w.intent).Exec(in.Key, in.Station, in.Action, in.Payload, in.Reason, int64(in.Cause),
			in.Due.UnixMicro(), in.Expires.UnixMicro(), in.Due.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) writeQuirks(list []journal.Quirk) error {
	for _, q := range list {
		station, err := t.station(q.Station)
		if err != nil {
			return err
		}
		if err := t.writeQuirk(station, q); err != nil {
			return err
		}
	}
	return nil
}

// Codes carry parts of what the station sent, so a station could make up any
// number of them: what is beyond maxQuirks is counted together.
const (
	maxQuirks  = 250
	quirksRest = "other"
)

func (t *tx) writeQuirk(station int64, q journal.Quirk) error {
	at := q.At.UnixMicro()
	r, err := t.stmt(t.s.w.quirkAgain).Exec(q.Vendor, q.Model, int64(q.Count), at, int64(q.Seq), station, q.Firmware, q.Code)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n > 0 {
		return err
	}
	var known int
	if err := t.sql.QueryRow(`SELECT count(*) FROM conformance WHERE station = ?`, station).Scan(&known); err != nil {
		return err
	}
	if known >= maxQuirks {
		q.Code = quirksRest
	}
	_, err = t.stmt(t.s.w.quirk).Exec(station, q.Firmware, q.Code, q.Vendor, q.Model, int64(q.Count), at, at, int64(q.Seq))
	return err
}

// The history that the fold asks for: closed sessions, the newest that match.

func (t *tx) SessionByStart(station, key string) (*fleet.Session, bool) {
	return t.session(t.s.w.byStart, station, key)
}

func (t *tx) SessionByStop(station, key string) (*fleet.Session, bool) {
	return t.session(t.s.w.byStop, station, key)
}

func (t *tx) SessionByTransaction(station, id string) (*fleet.Session, bool) {
	return t.session(t.s.w.byTransaction, station, id)
}

func (t *tx) session(stmt *sql.Stmt, station, key string) (*fleet.Session, bool) {
	id, ok := t.s.stationID(station)
	if !ok {
		return nil, false
	}
	var data []byte
	err := t.stmt(stmt).QueryRow(id, key).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false
	}
	s := new(fleet.Session)
	if err == nil {
		err = json.Unmarshal(data, s)
	}
	if err != nil {
		t.err = errors.Join(t.err, err)
		return nil, false
	}
	return s, true
}

// statements are what the writer runs all the time, prepared once.
type statements struct {
	events, points                 ladder
	session, intent, quirk         *sql.Stmt
	command, commandResult         *sql.Stmt
	saveStation, pruneStation      *sql.Stmt
	quirkAgain                     *sql.Stmt
	byStart, byStop, byTransaction *sql.Stmt
	args                           []any
	all                            []*sql.Stmt
}

const eventColumns = 14

func prepare(ctx context.Context, db *sql.DB) (*statements, error) {
	w := &statements{}
	var failed error
	p := func(query string) *sql.Stmt {
		stmt, err := db.PrepareContext(ctx, query)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("prepare %.40q: %w", query, err))
			return nil
		}
		w.all = append(w.all, stmt)
		return stmt
	}
	row := "(" + strings.Repeat("?,", eventColumns-1) + "CAST(? AS TEXT))"
	for _, n := range []int{64, 16, 4, 1} {
		w.events = append(w.events, rung{n, p(`INSERT OR FAIL INTO events (seq, kind, subject, evse, connector, at, device_at,
			received_at, recorded_at, quality, origin, cause, quirks, body) VALUES ` +
			strings.TrimSuffix(strings.Repeat(row+",", n), ","))})
	}
	w.session = p(`INSERT INTO sessions (id, station, evse, transaction_id, token, active, started_at, ended_at,
		start_key, stop_key, closed_seq, data, site, flagged) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET site = excluded.site, flagged = excluded.flagged, station = excluded.station, evse = excluded.evse,
		transaction_id = excluded.transaction_id, token = excluded.token, active = excluded.active,
		started_at = excluded.started_at, ended_at = excluded.ended_at, start_key = excluded.start_key,
		stop_key = excluded.stop_key, data = excluded.data,
		closed_seq = CASE WHEN excluded.active = 1 THEN NULL ELSE coalesce(sessions.closed_seq, excluded.closed_seq) END`)
	for _, n := range []int{64, 16, 4, 1} {
		w.points = append(w.points, rung{n, p(`INSERT INTO points (station, evse, valid_from, seq, known_at, state) VALUES ` +
			strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?),", n), ",") + ` ON CONFLICT DO UPDATE SET state = excluded.state`)})
	}
	w.intent = p(`INSERT INTO outbox (key, station, action, payload, reason, cause, due, expires, state, changed_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?) ON CONFLICT (key) DO NOTHING`)
	w.quirk = p(`INSERT INTO conformance (station, firmware, code, vendor, model, count, first_at, last_at, example)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (station, firmware, code) DO UPDATE SET
		vendor = excluded.vendor, model = excluded.model, count = count + excluded.count,
		last_at = excluded.last_at, example = excluded.example`)
	w.quirkAgain = p(`UPDATE conformance SET vendor = ?, model = ?, count = count + ?, last_at = ?, example = ?
		WHERE station = ? AND firmware = ? AND code = ?`)
	w.command = p(`INSERT INTO commands (id, station, action, payload, requested_by, requested_at, deadline, status)
		VALUES (?, ?, ?, ?, ?, ?, ?, 'sent') ON CONFLICT (id) DO NOTHING`)
	w.commandResult = p(`UPDATE commands SET status = ?, response = ?, error_code = ?, description = ?, late = ?, finished_at = ?
		WHERE id = ?`)
	w.saveStation = p(`INSERT INTO checkpoint_stations (station, seq, data) VALUES (?, ?, CAST(? AS TEXT))
		ON CONFLICT (station, seq) DO UPDATE SET data = excluded.data`)
	w.pruneStation = p(`DELETE FROM checkpoint_stations WHERE station = ? AND (seq < ? OR seq = ? AND data IS NULL)`)
	w.byStart = p(`SELECT data FROM sessions WHERE station = ? AND start_key = ? AND active = 0 ORDER BY n DESC LIMIT 1`)
	w.byStop = p(`SELECT data FROM sessions WHERE station = ? AND stop_key = ? AND active = 0 ORDER BY n DESC LIMIT 1`)
	w.byTransaction = p(`SELECT data FROM sessions WHERE station = ? AND transaction_id = ? AND active = 0 ORDER BY n DESC LIMIT 1`)
	if failed != nil {
		return nil, errors.Join(failed, w.close())
	}
	return w, nil
}

func (w *statements) close() error {
	var err error
	for _, s := range w.all {
		err = errors.Join(err, s.Close())
	}
	w.all = nil
	return err
}

// ladder is one statement for several numbers of rows, largest first.
type ladder []rung

type rung struct {
	rows int
	stmt *sql.Stmt
}

type chunk struct {
	from, to int
	stmt     *sql.Stmt
}

// split covers n rows with as few statements as possible.
func (l ladder) split(n int) []chunk {
	var out []chunk
	at := 0
	for _, r := range l {
		for n-at >= r.rows {
			out = append(out, chunk{at, at + r.rows, r.stmt})
			at += r.rows
		}
	}
	return out
}
