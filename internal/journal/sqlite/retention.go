package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// SeqBefore returns the newest sequence recorded before a time. RecordedAt
// never goes back, so it halves its way there.
func (s *Store) SeqBefore(ctx context.Context, t time.Time) (uint64, error) {
	return seqBefore(ctx, s.db.Reader(), t)
}

func seqBefore(ctx context.Context, db *sql.DB, t time.Time) (uint64, error) {
	var lo, hi int64
	if err := db.QueryRowContext(ctx, `SELECT coalesce((SELECT min(seq) FROM events), 1) - 1,
		coalesce((SELECT max(seq) FROM events), 0)`).Scan(&lo, &hi); err != nil {
		return 0, err
	}
	limit := t.UnixMicro()
	for lo < hi { // everything up to lo is before t, everything after hi is not
		mid := lo + (hi-lo+1)/2
		var seq, at int64
		if err := db.QueryRowContext(ctx,
			`SELECT seq, recorded_at FROM events WHERE seq <= ? ORDER BY seq DESC LIMIT 1`, mid).Scan(&seq, &at); err != nil {
			return 0, err
		}
		switch {
		case at < limit:
			lo = mid
		case seq <= lo: // deleted rows between
			hi = lo
		default:
			hi = seq - 1
		}
	}
	return uint64(lo), nil
}

// DeleteEvents deletes one slice of a class's closed prefix.
func (t *tx) DeleteEvents(c journal.Class, kinds []event.Kind, upTo uint64, step int) (journal.Horizon, bool, error) {
	var h journal.Horizon
	var at int64
	err := t.sql.QueryRow(`SELECT seq, at FROM horizons WHERE class = ?`, string(c)).Scan(&h.Seq, &at)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return h, false, err
	}
	if err == nil {
		h.At = micros(at)
	}
	// The slice ends at the step-th row that is there; rows of other classes
	// count, so that a sparse class does not look at too many.
	end := int64(upTo)
	err = t.sql.QueryRow(`SELECT seq FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT 1 OFFSET ?`,
		int64(h.Seq), int64(upTo), step-1).Scan(&end)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return h, false, err
	}
	if uint64(end) <= h.Seq {
		return h, false, nil
	}
	err = t.sql.QueryRow(`SELECT recorded_at FROM events WHERE seq <= ? ORDER BY seq DESC LIMIT 1`, end).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return h, false, nil
	}
	if err != nil {
		return h, false, err
	}
	ids := joinInts(t.s.kindIDs(kinds))
	if _, err := t.sql.Exec(`DELETE FROM events WHERE seq > ? AND seq <= ? AND kind IN (`+ids+`)`, int64(h.Seq), end); err != nil {
		return h, false, err
	}
	more := uint64(end) < upTo
	h = journal.Horizon{Seq: uint64(end), At: micros(at)}
	_, err = t.sql.Exec(`INSERT INTO horizons (class, seq, at) VALUES (?, ?, ?)
		ON CONFLICT (class) DO UPDATE SET seq = excluded.seq, at = excluded.at`, string(c), end, at)
	return h, more, err
}

// sweep is how far the states have been looked through for a day.
type sweep struct {
	day     int64
	station int64
}

// DeleteHistory deletes one slice of what ended long ago.
func (t *tx) DeleteHistory(before, outcomes time.Time, step int) (bool, error) {
	more := false
	for _, d := range []struct {
		query string
		limit time.Time
	}{
		{`DELETE FROM sessions WHERE n IN (SELECT n FROM sessions WHERE started_at < ? AND ended_at < ?1 AND active = 0
			ORDER BY started_at LIMIT ?2)`, before},
		{`DELETE FROM commands WHERE n IN (SELECT n FROM (SELECT n, requested_at FROM commands ORDER BY n LIMIT ?2)
			WHERE requested_at < ?1)`, before},
		{`DELETE FROM outbox WHERE n IN (SELECT n FROM outbox WHERE state NOT IN ('waiting', 'started') AND changed_at < ?1
			ORDER BY changed_at LIMIT ?2)`, outcomes},
	} {
		r, err := t.sql.Exec(d.query, d.limit.UnixMicro(), step)
		if err != nil {
			return false, err
		}
		n, err := r.RowsAffected()
		if err != nil {
			return false, err
		}
		more = more || n >= int64(step)
	}
	swept, err := t.deleteStates(before)
	return more || swept, err
}

// deleteStates looks at a few stations and deletes states that another one
// replaced before the time: the one in force then stays.
func (t *tx) deleteStates(before time.Time) (bool, error) {
	const stations = 20
	day := before.Unix() / 86400
	s := t.s.swept
	if s.day == day && s.station < 0 {
		return false, nil
	}
	if s.day != day {
		s = sweep{day: day}
	}
	rows, err := t.sql.Query(`SELECT id FROM subjects WHERE type = ? AND id > ? ORDER BY id LIMIT ?`,
		string(event.StationSubject), s.station, stations)
	if err != nil {
		return false, err
	}
	var ids []int64
	if err := each(rows, func() error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}); err != nil {
		return false, err
	}
	for _, id := range ids {
		if _, err := t.sql.Exec(`DELETE FROM points WHERE station = ?1 AND valid_from < (SELECT max(p.valid_from) FROM points p
			WHERE p.station = ?1 AND p.evse = points.evse AND p.valid_from <= ?2)`, id, before.UnixMicro()); err != nil {
			return false, fmt.Errorf("delete states: %w", err)
		}
	}
	if len(ids) < stations {
		s.station = -1
	} else {
		s.station = ids[len(ids)-1]
	}
	// A rollback repeats at worst what it already looked at tomorrow.
	t.s.swept = s
	return s.station >= 0, nil
}
