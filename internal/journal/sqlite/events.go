package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

const eventFields = `seq, kind, subject, evse, connector, at, device_at, received_at, recorded_at, quality, origin, cause, quirks, body`

// scanEvent reads one row of eventFields.
func (s *Store) scanEvent(rows *sql.Rows) (*event.Event, error) {
	var (
		e                      event.Event
		kind, subject          int64
		at, received, recorded int64
		device, cause          sql.NullInt64
		quality, origin        int64
		quirks                 sql.NullString
		body                   sql.RawBytes
	)
	if err := rows.Scan(&e.Seq, &kind, &subject, &e.Subject.EVSE, &e.Subject.Connector, &at, &device, &received,
		&recorded, &quality, &origin, &cause, &quirks, &body); err != nil {
		return nil, err
	}
	k, err := s.nameOf(subject)
	if err != nil {
		return nil, fmt.Errorf("event %d: %w", e.Seq, err)
	}
	e.Subject.Type, e.Subject.ID = k.kind, k.name
	e.At, e.DeviceAt, e.ReceivedAt, e.RecordedAt = micros(at), timeOf(device), micros(received), micros(recorded)
	e.Quality, e.Origin, e.Cause = event.TimeQuality(quality), event.Origin(origin), uint64(cause.Int64)
	if quirks.Valid {
		e.Quirks = strings.Split(quirks.String, "\n")
	}
	if e.Body, err = event.DecodeBody(s.names[kind], body); err != nil {
		return nil, fmt.Errorf("event %d: %w", e.Seq, err)
	}
	return &e, nil
}

func (s *Store) scanEvents(rows *sql.Rows, capacity int) ([]*event.Event, error) {
	list := make([]*event.Event, 0, capacity)
	err := each(rows, func() error {
		e, err := s.scanEvent(rows)
		list = append(list, e)
		return err
	})
	return list, err
}

// Tail returns events after a sequence, in order.
func (s *Store) Tail(ctx context.Context, after, upTo uint64, limit int) ([]*event.Event, error) {
	rows, err := s.db.Reader().QueryContext(ctx,
		`SELECT `+eventFields+` FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`, int64(after), int64(upTo), limit)
	if err != nil {
		return nil, err
	}
	return s.scanEvents(rows, limit)
}

// place is where an event stands in a list that is newest first.
type place struct {
	at  int64
	seq int64
}

func (p place) cursor() journal.Cursor {
	return journal.Cursor(strconv.FormatInt(p.at, 36) + "." + strconv.FormatInt(p.seq, 36))
}

// before reads a list cursor; the empty one is behind everything.
func before(c journal.Cursor) (place, error) {
	if c == "" {
		return place{1<<63 - 1, 1<<63 - 1}, nil
	}
	at, seq, ok := strings.Cut(string(c), ".")
	var p place
	var err1, err2 error
	p.at, err1 = strconv.ParseInt(at, 36, 64)
	p.seq, err2 = strconv.ParseInt(seq, 36, 64)
	if !ok || err1 != nil || err2 != nil {
		return place{}, fmt.Errorf("%q: %w", string(c), journal.ErrCursor)
	}
	return p, nil
}

// Events lists events, newest first by their time.
func (s *Store) Events(ctx context.Context, q journal.EventQuery) ([]*event.Event, journal.Cursor, error) {
	limit := journal.Limit(q.Limit)
	end, err := before(q.Before)
	if err != nil {
		return nil, "", err
	}
	from, to := int64(-1<<63), end.at
	if !q.From.IsZero() {
		from = q.From.UnixMicro()
	}
	if !q.To.IsZero() {
		if last := q.To.UnixMicro() - 1; last < to {
			to, end = last, place{last, 1<<63 - 1}
		}
	}
	var places []place
	if q.Subject != (event.Subject{}) {
		places, err = s.placesOfSubject(ctx, q, from, to, end, limit+1)
	} else {
		places, err = s.placesOfKinds(ctx, q.Kinds, from, to, end, limit+1)
	}
	if err != nil {
		return nil, "", fmt.Errorf("find events: %w", err)
	}
	next := journal.Cursor("")
	if len(places) > limit {
		places = places[:limit]
		next = places[limit-1].cursor()
	}
	events, err := s.eventsAt(ctx, places)
	if err != nil {
		return nil, "", fmt.Errorf("read events: %w", err)
	}
	return events, next, nil
}

// eventsAt reads events by sequence and returns them in the order of places.
func (s *Store) eventsAt(ctx context.Context, places []place) ([]*event.Event, error) {
	if len(places) == 0 {
		return nil, nil
	}
	seqs := make([]int64, len(places))
	for i, p := range places {
		seqs[i] = p.seq
	}
	list, err := json.Marshal(seqs)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.Reader().QueryContext(ctx,
		`SELECT `+eventFields+` FROM events WHERE seq IN (SELECT value FROM json_each(?))`, string(list))
	if err != nil {
		return nil, err
	}
	events, err := s.scanEvents(rows, len(places))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(events, func(a, b *event.Event) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return int(int64(b.Seq) - int64(a.Seq))
	})
	return events, nil
}

func scanPlaces(rows *sql.Rows) ([]place, error) {
	var list []place
	err := each(rows, func() error {
		var p place
		err := rows.Scan(&p.at, &p.seq)
		list = append(list, p)
		return err
	})
	return list, err
}

// kindIDs translates kinds; those that nothing was ever stored of have no id.
func (s *Store) kindIDs(kinds []event.Kind) []int64 {
	var ids []int64
	for _, k := range kinds {
		if id, ok := s.kinds[k]; ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *Store) placesOfSubject(ctx context.Context, q journal.EventQuery, from, to int64, end place, limit int) ([]place, error) {
	subject, ok := s.subjectID(subjectKey{q.Subject.Type, q.Subject.ID})
	if !ok {
		return nil, nil
	}
	where, args := `subject = ? AND at >= ? AND at <= ? AND (at < ? OR seq < ?)`, []any{subject, from, to, end.at, end.seq}
	if q.Subject.EVSE != 0 {
		where += ` AND evse = ?`
		args = append(args, q.Subject.EVSE)
	}
	if q.Subject.Connector != 0 {
		where += ` AND connector = ?`
		args = append(args, q.Subject.Connector)
	}
	ids := s.kindIDs(q.Kinds)
	if len(q.Kinds) > 0 && len(ids) == 0 {
		return nil, nil
	}
	var list []place
	if plain := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return id == meterKind }); len(plain) > 0 || len(q.Kinds) == 0 {
		kinds := ""
		if len(plain) > 0 {
			kinds = ` AND kind IN (` + joinInts(plain) + `)`
		}
		rows, err := s.db.Reader().QueryContext(ctx, `SELECT at, seq FROM events INDEXED BY events_by_subject WHERE kind <> 1`+
			kinds+` AND `+where+` ORDER BY at DESC, seq DESC LIMIT ?`, append(slices.Clone(args), limit)...)
		if err != nil {
			return nil, err
		}
		if list, err = scanPlaces(rows); err != nil {
			return nil, err
		}
	}
	if slices.Contains(ids, meterKind) {
		more, err := s.meterPlaces(ctx, where, args, limit)
		if err != nil {
			return nil, err
		}
		list = merge(append(list, more...), limit)
	}
	return list, nil
}

// meterScan bounds how many rows are looked at for measurements, which no
// secondary index covers.
const meterScan = 100_000

// meterPlaces looks for measurements from the newest row back.
func (s *Store) meterPlaces(ctx context.Context, where string, args []any, limit int) ([]place, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT at, seq FROM
		(SELECT seq, kind, subject, evse, connector, at FROM events ORDER BY seq DESC LIMIT ?)
		WHERE kind = 1 AND `+where+` ORDER BY at DESC, seq DESC LIMIT ?`,
		slices.Concat([]any{meterScan}, args, []any{limit})...)
	if err != nil {
		return nil, err
	}
	return scanPlaces(rows)
}

func (s *Store) placesOfKinds(ctx context.Context, kinds []event.Kind, from, to int64, end place, limit int) ([]place, error) {
	ids := s.kindIDs(kinds)
	if len(kinds) == 0 {
		for id := range s.names {
			if id != meterKind {
				ids = append(ids, id)
			}
		}
	}
	var all []place
	const where = `at >= ? AND at <= ? AND (at < ? OR seq < ?)`
	args := []any{from, to, end.at, end.seq}
	for _, id := range ids {
		var list []place
		var err error
		if id == meterKind {
			list, err = s.meterPlaces(ctx, where, args, limit)
		} else {
			var rows *sql.Rows
			rows, err = s.db.Reader().QueryContext(ctx, `SELECT at, seq FROM events INDEXED BY events_by_kind
				WHERE kind <> 1 AND kind = ? AND `+where+` ORDER BY at DESC, seq DESC LIMIT ?`,
				slices.Concat([]any{id}, args, []any{limit})...)
			if err == nil {
				list, err = scanPlaces(rows)
			}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return merge(all, limit), nil
}

func merge(list []place, limit int) []place {
	slices.SortFunc(list, func(a, b place) int {
		switch {
		case a.at != b.at:
			return map[bool]int{true: -1, false: 1}[a.at > b.at]
		case a.seq > b.seq:
			return -1
		}
		return 1
	})
	return list[:min(len(list), limit)]
}

func joinInts(list []int64) string {
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(v, 10))
	}
	return b.String()
}
