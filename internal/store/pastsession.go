package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math"
	"time"
)

// PastSession is a session from before we listened. One that is read is its own copy.
type PastSession struct {
	ID          int64
	Import      int64
	Site        string
	Station     string
	EVSE        int
	Start, End  time.Time
	ChargingEnd time.Time // zero: unknown
	EnergyWh    float64   // NaN: unknown
	PeakW       float64   // NaN: unknown
	Token       string    // stands for a token; empty: unknown
	Flag        string    // what was repaired or is odd, by comma
}

// PastPort says when an import knows of a port. Outside it was not observed.
type PastPort struct {
	Import      int64
	Site        string
	Station     string
	EVSE        int
	First, Last time.Time
	RatedW      float64 // NaN: unknown
}

// PastRow is a row of a file that was not taken, or not as it stood.
type PastRow struct {
	Line    int
	Outcome string
	Reason  string
	Text    string // without tokens
}

// PastBatch is what is committed together of an import.
type PastBatch struct {
	Sessions []PastSession
	Ports    []PastPort
	Rows     []PastRow
	// After is how many sessions were committed before: two that work on one import
	// at a time would skip some.
	After int64
	// Clear forgets ports and rows that earlier tries of the import wrote.
	Clear bool
}

// PastWritten is what became of a batch.
type PastWritten struct {
	New  int
	Here []int // places in the batch of sessions that were here already
}

// WritePast commits a part of an import. It counts the sessions as written, those that
// were here already too: an import that is tried again goes on behind them.
func (s *Store) WritePast(ctx context.Context, id int64, b PastBatch) (PastWritten, error) {
	var out PastWritten
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		out = PastWritten{}
		var state PastState
		var written int64
		if err := tx.QueryRow(`SELECT state, written FROM past_import WHERE id = ?`, id).Scan(&state, &written); err != nil {
			return fmt.Errorf("read import: %w", err)
		}
		if state != PastRunning || written != b.After {
			return fmt.Errorf("import %d is %s: %w", id, state, ErrPastState)
		}
		if b.Clear {
			for _, text := range []string{`DELETE FROM past_evse WHERE import_id = ?`, `DELETE FROM past_row WHERE import_id = ?`} {
				if _, err := tx.Exec(text, id); err != nil {
					return fmt.Errorf("clear import: %w", err)
				}
			}
		}
		if err := writePastSessions(tx, id, b.Sessions, &out); err != nil {
			return err
		}
		if err := writePastPorts(tx, id, b.Ports); err != nil {
			return err
		}
		if err := writePastRows(tx, id, b.Rows); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE past_import SET written = written + ?, changed_at = ? WHERE id = ?`, len(b.Sessions), millis(s.now()), id)
		if err != nil {
			return fmt.Errorf("write import: %w", err)
		}
		return nil
	})
	return out, err
}

func writePastSessions(tx *sql.Tx, id int64, list []PastSession, out *PastWritten) error {
	if len(list) == 0 {
		return nil
	}
	insert, err := tx.Prepare(`INSERT INTO past_session (import_id, site_id, station_id, evse_id, start_at, end_at, charging_end_at, energy_wh, peak_w, token_ref, flag)
		VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`)
	if err != nil {
		return fmt.Errorf("prepare past sessions: %w", err)
	}
	defer insert.Close() //nolint:errcheck // ends with the transaction
	for i := range list {
		x := &list[i]
		var charged, token any
		if !x.ChargingEnd.IsZero() {
			charged = x.ChargingEnd.UnixMilli()
		}
		if x.Token != "" {
			token = x.Token
		}
		done, err := insert.Exec(id, x.Site, x.Station, x.EVSE, x.Start.UnixMilli(), x.End.UnixMilli(), charged, orNull(x.EnergyWh), orNull(x.PeakW), token, x.Flag)
		if err != nil {
			return fmt.Errorf("write past session: %w", err)
		}
		n, err := done.RowsAffected()
		if err != nil {
			return fmt.Errorf("write past session: %w", err)
		}
		if n == 0 {
			out.Here = append(out.Here, i)
		} else {
			out.New++
		}
	}
	return nil
}

func writePastPorts(tx *sql.Tx, id int64, list []PastPort) error {
	for i := range list {
		p := &list[i]
		if _, err := tx.Exec(`INSERT OR REPLACE INTO past_evse (import_id, site_id, station_id, evse_id, first_at, last_at, rated_w) VALUES (?,?,?,?,?,?,?)`,
			id, p.Site, p.Station, p.EVSE, p.First.UnixMilli(), p.Last.UnixMilli(), orNull(p.RatedW)); err != nil {
			return fmt.Errorf("write past port: %w", err)
		}
	}
	return nil
}

func writePastRows(tx *sql.Tx, id int64, list []PastRow) error {
	for i := range list {
		r := &list[i]
		if _, err := tx.Exec(`INSERT OR REPLACE INTO past_row (import_id, line, outcome, reason, text) VALUES (?,?,?,?,?)`,
			id, r.Line, r.Outcome, r.Reason, r.Text); err != nil {
			return fmt.Errorf("write row of an import: %w", err)
		}
	}
	return nil
}

// orNull writes what is not known as NULL.
func orNull(v float64) any {
	if math.IsNaN(v) {
		return nil
	}
	return v
}

func orNaN(v sql.NullFloat64) float64 {
	if v.Valid {
		return v.Float64
	}
	return math.NaN()
}

const pastTokenKey = "past.tokenKey"

// PastTokens returns what gives for a token of a file what stands for it: the same for
// the same token, and nothing that could be tried out without the key.
func (s *Store) PastTokens(ctx context.Context) (func(token string) string, error) {
	text, err := s.madeOnce(ctx, pastTokenKey, func() (string, error) {
		key := make([]byte, 32)
		rand.Read(key) //nolint:errcheck // documented never to fail
		return hex.EncodeToString(key), nil
	})
	if err != nil {
		return nil, err
	}
	return func(token string) string {
		h := hmac.New(sha256.New, []byte(text))
		h.Write([]byte(token))
		return "p" + hex.EncodeToString(h.Sum(nil)[:8])
	}, nil
}

// Watched tells of a station when our own sessions of it were, by EVSE; a time of the
// past that overlaps one of them was recorded by ourselves.
func (s *Store) Watched(ctx context.Context, station string, each func(evse int, start, end time.Time)) error {
	return s.query(ctx, "sessions", `SELECT evse, started_at, ended_at FROM sessions
		WHERE station = (SELECT id FROM subjects WHERE type = 'station' AND name = ?) ORDER BY started_at`, []any{station}, func(r *sql.Rows) error {
		var evse int
		var start int64
		var end sql.NullInt64
		if err := r.Scan(&evse, &start, &end); err != nil {
			return err
		}
		until := s.now()
		if end.Valid {
			until = time.UnixMicro(end.Int64)
		}
		each(evse, time.UnixMicro(start).UTC(), until.UTC())
		return nil
	})
}

// PastCount is how many sessions of an import are here.
func (s *Store) PastCount(ctx context.Context, id int64) (n int64, err error) {
	if err := s.db.Reader().QueryRowContext(ctx, `SELECT count(*) FROM past_session WHERE import_id = ?`, id).Scan(&n); err != nil {
		return 0, fmt.Errorf("count past sessions: %w", err)
	}
	return n, nil
}

// UndoPast removes at most a number of sessions of an import that is being undone, and
// says how many there were. When none is left its ports and rows go too.
func (s *Store) UndoPast(ctx context.Context, id int64, most int) (removed int64, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		var state PastState
		if err := tx.QueryRow(`SELECT state FROM past_import WHERE id = ?`, id).Scan(&state); err != nil {
			return fmt.Errorf("read import: %w", err)
		}
		if state != PastUndoing {
			return fmt.Errorf("import %d is %s: %w", id, state, ErrPastState)
		}
		done, err := tx.Exec(`DELETE FROM past_session WHERE id IN (SELECT id FROM past_session WHERE import_id = ? LIMIT ?)`, id, most)
		if err != nil {
			return fmt.Errorf("delete past sessions: %w", err)
		}
		if removed, err = done.RowsAffected(); err != nil {
			return fmt.Errorf("delete past sessions: %w", err)
		}
		if removed == 0 {
			for _, text := range []string{`DELETE FROM past_evse WHERE import_id = ?`, `DELETE FROM past_row WHERE import_id = ?`} {
				if _, err := tx.Exec(text, id); err != nil {
					return fmt.Errorf("clear import: %w", err)
				}
			}
		}
		_, err = tx.Exec(`UPDATE past_import SET written = CASE WHEN ?1 = 0 THEN 0 ELSE max(0, written - ?1) END, changed_at = ?2 WHERE id = ?3`, removed, millis(s.now()), id)
		if err != nil {
			return fmt.Errorf("write import: %w", err)
		}
		return nil
	})
	return removed, err
}

// PastSessions gives the imported sessions of a site (empty: of all) that overlap a
// time, by start, to each; an error of each ends it. A zero time is no bound.
func (s *Store) PastSessions(ctx context.Context, site string, from, to time.Time, each func(*PastSession) error) error {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	if !from.IsZero() {
		low = from.UnixMilli()
	}
	if !to.IsZero() {
		high = to.UnixMilli()
	}
	text := `SELECT id, import_id, site_id, station_id, evse_id, start_at, end_at, charging_end_at, energy_wh, peak_w, token_ref, flag FROM past_session
		WHERE (?1 = '' OR site_id = ?1) AND start_at < ?2 AND end_at >= ?3 AND start_at >= ?4 ORDER BY site_id, start_at, id`
	if site != "" {
		text = `SELECT id, import_id, site_id, station_id, evse_id, start_at, end_at, charging_end_at, energy_wh, peak_w, token_ref, flag FROM past_session
		WHERE site_id = ?1 AND start_at < ?2 AND end_at >= ?3 AND start_at >= ?4 ORDER BY start_at, id`
	}
	var x PastSession
	since := low // no session is longer than LongestPast: the index is not read from its beginning
	if !from.IsZero() {
		since = from.Add(-LongestPast).UnixMilli()
	}
	return s.query(ctx, "past sessions", text, []any{site, high, low, since}, func(r *sql.Rows) error {
		var start, end int64
		var charged sql.NullInt64
		var energy, peak sql.NullFloat64
		var token sql.NullString
		if err := r.Scan(&x.ID, &x.Import, &x.Site, &x.Station, &x.EVSE, &start, &end, &charged, &energy, &peak, &token, &x.Flag); err != nil {
			return err
		}
		x.Start, x.End, x.Token = time.UnixMilli(start).UTC(), time.UnixMilli(end).UTC(), token.String
		x.EnergyWh, x.PeakW, x.ChargingEnd = orNaN(energy), orNaN(peak), time.Time{}
		if charged.Valid {
			x.ChargingEnd = time.UnixMilli(charged.Int64).UTC()
		}
		one := x
		return each(&one)
	})
}

// LongestPast is the longest session that is imported; what is longer in a file is
// quarantined.
const LongestPast = 92 * 24 * time.Hour

// PastPorts returns what imports know of ports of a site (empty: of all), by site,
// station, EVSE and time.
func (s *Store) PastPorts(ctx context.Context, site string) ([]PastPort, error) {
	var out []PastPort
	err := s.query(ctx, "past ports", `SELECT import_id, site_id, station_id, evse_id, first_at, last_at, rated_w FROM past_evse
		WHERE ?1 = '' OR site_id = ?1 ORDER BY site_id, station_id, evse_id, first_at`, []any{site}, func(r *sql.Rows) error {
		var p PastPort
		var first, last int64
		var rated sql.NullFloat64
		err := r.Scan(&p.Import, &p.Site, &p.Station, &p.EVSE, &first, &last, &rated)
		p.First, p.Last, p.RatedW = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC(), orNaN(rated)
		out = append(out, p)
		return err
	})
	return out, err
}

// PastRows returns rows of an import that were not taken as they stood, behind a line.
func (s *Store) PastRows(ctx context.Context, id int64, outcome string, after, limit int) ([]PastRow, error) {
	var out []PastRow
	err := s.query(ctx, "rows of an import", `SELECT line, outcome, reason, text FROM past_row
		WHERE import_id = ?1 AND (?2 = '' OR outcome = ?2) AND line > ?3 ORDER BY line, reason LIMIT ?4`, []any{id, outcome, after, limit}, func(r *sql.Rows) error {
		var x PastRow
		err := r.Scan(&x.Line, &x.Outcome, &x.Reason, &x.Text)
		out = append(out, x)
		return err
	})
	return out, err
}
