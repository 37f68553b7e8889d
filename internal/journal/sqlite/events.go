package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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

// Events lists events, newest first by their time; with measurements among the
// kinds, by their sequence.
func (s *Store) Events(ctx context.Context, q journal.EventQuery) ([]*event.Event, journal.Cursor, error) {
	if q.Among != nil && len(q.Among) == 0 {
		return nil, "", nil
	}
	limit := journal.Limit(q.Limit)
	if slices.Contains(q.Kinds, event.KindMeter) {
		return s.recorded(ctx, q, limit)
	}
	end, err := before(q.Before)
	if err != nil {
		return nil, "", err
	}
	span := span{from: int64(-1 << 63), to: end.at, end: end}
	if !q.From.IsZero() {
		span.from = q.From.UnixMicro()
	}
	if !q.To.IsZero() {
		if last := q.To.UnixMicro() - 1; last < span.to {
			span.to, span.end = last, place{last, 1<<63 - 1}
		}
	}
	places, err := s.places(ctx, q, span, limit+1)
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

// span is the stretch of a list that is looked at.
type span struct {
	from, to int64
	end      place
}

func (s span) filter() filter {
	return filter{where: []string{`at >= ?`, `at <= ?`, `(at < ? OR seq < ?)`}, args: []any{s.from, s.to, s.end.at, s.end.seq}}
}

func (s *Store) places(ctx context.Context, q journal.EventQuery, span span, limit int) ([]place, error) {
	kinds := s.kindIDs(q.Kinds)
	if len(q.Kinds) > 0 && len(kinds) == 0 {
		return nil, nil
	}
	if q.Subject != (event.Subject{}) {
		if !among(q.Among, q.Subject) {
			return nil, nil
		}
		return s.placesOfSubject(ctx, q.Subject, kinds, span.filter(), limit)
	}
	if q.Among == nil {
		return s.placesOfKinds(ctx, kinds, span.filter(), limit)
	}
	var ids []int64
	for _, x := range q.Among {
		if id, ok := s.subjectID(subjectKey{x.Type, x.ID}); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) > manySubjects {
		f := span.filter()
		f.add(`subject IN (SELECT value FROM json_each(?))`, `[`+joinInts(ids)+`]`)
		return s.placesOfKinds(ctx, kinds, f, limit)
	}
	var all []place
	for _, id := range ids {
		if len(all) == limit { // what some gave shortens the search at the next
			span.from = max(span.from, all[limit-1].at)
		}
		f := span.filter()
		f.add(`subject = ?`, id)
		list, err := s.placesBySubject(ctx, kinds, f, limit)
		if err != nil {
			return nil, err
		}
		all = merge(append(all, list...), limit)
	}
	return all, nil
}

// manySubjects is from where on events of some subjects are found by walking
// the kinds instead of each subject's own events.
const manySubjects = 500

// among reports whether a subject is one of a list or part of one.
func among(list []event.Subject, x event.Subject) bool {
	return list == nil || slices.ContainsFunc(list, func(s event.Subject) bool { return s.Type == x.Type && s.ID == x.ID })
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

func (s *Store) placesOfSubject(ctx context.Context, x event.Subject, kinds []int64, f filter, limit int) ([]place, error) {
	id, ok := s.subjectID(subjectKey{x.Type, x.ID})
	if !ok {
		return nil, nil
	}
	f.add(`subject = ?`, id)
	f.part(x)
	return s.placesBySubject(ctx, kinds, f, limit)
}

// part limits to one EVSE or connector of a subject.
func (f *filter) part(x event.Subject) {
	if x.EVSE != 0 {
		f.add(`evse = ?`, x.EVSE)
	}
	if x.Connector != 0 {
		f.add(`connector = ?`, x.Connector)
	}
}

func (s *Store) placesBySubject(ctx context.Context, kinds []int64, f filter, limit int) ([]place, error) {
	if len(kinds) > 0 {
		f.add(`kind IN (` + joinInts(kinds) + `)`)
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT at, seq FROM events INDEXED BY events_by_subject WHERE kind <> 1 AND `+
		strings.Join(f.where, ` AND `)+` ORDER BY at DESC, seq DESC LIMIT ?`, append(f.args, limit)...)
	if err != nil {
		return nil, err
	}
	return scanPlaces(rows)
}

func (s *Store) placesOfKinds(ctx context.Context, kinds []int64, f filter, limit int) ([]place, error) {
	if len(kinds) == 0 {
		for id := range s.names {
			if id != meterKind {
				kinds = append(kinds, id)
			}
		}
	}
	var all []place
	for _, id := range kinds {
		rows, err := s.db.Reader().QueryContext(ctx, `SELECT at, seq FROM events INDEXED BY events_by_kind WHERE kind <> 1 AND kind = ? AND `+
			strings.Join(f.where, ` AND `)+` ORDER BY at DESC, seq DESC LIMIT ?`, slices.Concat([]any{id}, f.args, []any{limit})...)
		if err != nil {
			return nil, err
		}
		list, err := scanPlaces(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return merge(all, limit), nil
}

// meterScan bounds how many rows one page looks at when measurements are asked
// for, which no secondary index covers.
const meterScan = 100_000

// recorded lists events of all kinds asked for by their sequence, newest first.
// The cursor is the sequence down to which was looked.
func (s *Store) recorded(ctx context.Context, q journal.EventQuery, limit int) ([]*event.Event, journal.Cursor, error) {
	upTo := int64(1<<63 - 1)
	if q.Before != "" {
		text, ok := strings.CutPrefix(string(q.Before), "s")
		seq, err := strconv.ParseInt(text, 36, 64)
		if !ok || err != nil {
			return nil, "", fmt.Errorf("%q: %w", string(q.Before), journal.ErrCursor)
		}
		upTo = seq
	}
	var floor sql.NullInt64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT min(seq) FROM (SELECT seq FROM events WHERE seq < ? ORDER BY seq DESC LIMIT ?)`,
		upTo, meterScan).Scan(&floor)
	if err != nil {
		return nil, "", fmt.Errorf("find events: %w", err)
	}
	if !floor.Valid {
		return nil, "", nil
	}
	f := filter{where: []string{`seq < ?`, `seq >= ?`, `kind IN (` + joinInts(s.kindIDs(q.Kinds)) + `)`}, args: []any{upTo, floor.Int64}}
	if !q.From.IsZero() {
		f.add(`at >= ?`, q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		f.add(`at < ?`, q.To.UnixMicro())
	}
	if q.Subject != (event.Subject{}) {
		id, ok := s.subjectID(subjectKey{q.Subject.Type, q.Subject.ID})
		if !ok || !among(q.Among, q.Subject) {
			return nil, "", nil
		}
		f.add(`subject = ?`, id)
		f.part(q.Subject)
	} else if q.Among != nil {
		var ids []int64
		for _, x := range q.Among {
			if id, ok := s.subjectID(subjectKey{x.Type, x.ID}); ok {
				ids = append(ids, id)
			}
		}
		f.add(`subject IN (SELECT value FROM json_each(?))`, `[`+joinInts(ids)+`]`)
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT `+eventFields+` FROM events NOT INDEXED WHERE `+strings.Join(f.where, ` AND `)+
		` ORDER BY seq DESC LIMIT ?`, append(f.args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("find events: %w", err)
	}
	events, err := s.scanEvents(rows, limit)
	if err != nil {
		return nil, "", fmt.Errorf("read events: %w", err)
	}
	down := floor.Int64
	if len(events) > limit {
		events = events[:limit]
		down = int64(events[limit-1].Seq)
	} else if s.pastFrom(ctx, q.From, down) {
		return events, "", nil
	}
	return events, journal.Cursor("s" + strconv.FormatInt(down, 36)), nil
}

// pastFrom reports that nothing below a sequence can be of a time or after it:
// it was recorded before.
func (s *Store) pastFrom(ctx context.Context, from time.Time, seq int64) bool {
	var at int64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT recorded_at FROM events WHERE seq < ? ORDER BY seq DESC LIMIT 1`, seq).Scan(&at)
	if err != nil {
		return errors.Is(err, sql.ErrNoRows)
	}
	return !from.IsZero() && at < from.Add(-event.LateAfter).UnixMicro() // clocks may run ahead a little
}

func newest(a, b place) int {
	return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(b.seq, a.seq))
}

func merge(list []place, limit int) []place {
	slices.SortFunc(list, newest)
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

// TailWithout is Tail that leaves out kinds. It passes over them unread, which is
// several times faster where they are most of what there is.
func (s *Store) TailWithout(ctx context.Context, after, upTo uint64, limit int, without []event.Kind) ([]*event.Event, error) {
	ids := s.kindIDs(without)
	if len(ids) == 0 {
		return s.Tail(ctx, after, upTo, limit)
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT `+eventFields+` FROM events WHERE seq > ? AND seq <= ? AND kind NOT IN (`+
		joinInts(ids)+`) ORDER BY seq LIMIT ?`, int64(after), int64(upTo), limit)
	if err != nil {
		return nil, err
	}
	return s.scanEvents(rows, limit)
}
