package sqlite

import (
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
	"github.com/chargewatch/chargewatch/internal/fleet"
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
		more, err := s.meterPlaces(ctx, where, args, from, end, limit)
		if err != nil {
			return nil, err
		}
		list = merge(append(list, more...), limit)
	}
	return list, nil
}

// meterScan bounds how many rows are looked at for measurements, which no
// secondary index covers.
const meterScan = 200_000

// meterPlaces looks for measurements from the newest row back.
func (s *Store) meterPlaces(ctx context.Context, where string, args []any, from int64, end place, limit int) ([]place, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT at, seq FROM
		(SELECT * FROM events ORDER BY seq DESC LIMIT ?)
		WHERE kind = 1 AND `+where+` ORDER BY at DESC, seq DESC LIMIT ?`,
		slices.Concat([]any{meterScan}, args, []any{limit})...)
	if err != nil {
		return nil, err
	}
	_, _ = from, end
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
			list, err = s.meterPlaces(ctx, where, args, from, end, limit)
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

// Sessions lists sessions, newest first by their start.
func (s *Store) Sessions(ctx context.Context, q journal.SessionQuery) ([]*fleet.Session, journal.Cursor, error) {
	limit := journal.Limit(q.Limit)
	end, err := before(q.Before)
	if err != nil {
		return nil, "", err
	}
	where := []string{`started_at <= ?`, `(started_at < ? OR n < ?)`}
	args := []any{end.at, end.at, end.seq}
	add := func(cond string, values ...any) {
		where = append(where, cond)
		args = append(args, values...)
	}
	if q.Station != "" {
		id, ok := s.stationID(q.Station)
		if !ok {
			return nil, "", nil
		}
		add(`station = ?`, id)
	}
	if q.Active != nil {
		if *q.Active {
			add(`active = 1`)
		} else {
			add(`active = 0`)
		}
	}
	if q.TokenID != "" {
		add(`token = ?`, q.TokenID)
	}
	if !q.To.IsZero() {
		add(`started_at < ?`, q.To.UnixMicro())
	}
	if !q.From.IsZero() {
		add(`(ended_at IS NULL OR ended_at >= ?)`, q.From.UnixMicro())
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT started_at, n, data FROM sessions WHERE `+strings.Join(where, ` AND `)+
		` ORDER BY started_at DESC, n DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("find sessions: %w", err)
	}
	var list []*fleet.Session
	var places []place
	err = each(rows, func() error {
		var p place
		var data sql.RawBytes
		if err := rows.Scan(&p.at, &p.seq, &data); err != nil {
			return err
		}
		one := new(fleet.Session)
		places, list = append(places, p), append(list, one)
		return json.Unmarshal(data, one)
	})
	if err != nil {
		return nil, "", fmt.Errorf("read sessions: %w", err)
	}
	if len(list) > limit {
		return list[:limit], places[limit-1].cursor(), nil
	}
	return list, "", nil
}

// Session returns one session.
func (s *Store) Session(ctx context.Context, id string) (*fleet.Session, error) {
	var data []byte
	err := s.db.Reader().QueryRowContext(ctx, `SELECT data FROM sessions WHERE id = ?`, id).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("session %q: %w", id, journal.ErrNotFound)
	}
	one := new(fleet.Session)
	if err == nil {
		err = json.Unmarshal(data, one)
	}
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	return one, nil
}

// States lists the states of a port as known at a time.
func (s *Store) States(ctx context.Context, q journal.StateQuery) ([]fleet.Point, error) {
	station, ok := s.stationID(q.Station)
	if !ok {
		return nil, nil
	}
	known, to := int64(1<<63-1), int64(1<<63-1)
	if !q.KnownAt.IsZero() {
		known = q.KnownAt.UnixMicro()
	}
	if !q.To.IsZero() {
		to = q.To.UnixMicro()
	}
	from := int64(-1 << 63)
	if !q.From.IsZero() {
		err := s.db.Reader().QueryRowContext(ctx, `SELECT valid_from FROM points WHERE station = ? AND evse = ? AND valid_from <= ?
			AND known_at <= ? ORDER BY valid_from DESC LIMIT 1`, station, q.EVSE, q.From.UnixMicro(), known).Scan(&from)
		if errors.Is(err, sql.ErrNoRows) {
			from, err = q.From.UnixMicro(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("find the first state: %w", err)
		}
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT valid_from, seq, known_at, state FROM points
		WHERE station = ? AND evse = ? AND valid_from >= ? AND valid_from < ? AND known_at <= ? ORDER BY valid_from, seq`,
		station, q.EVSE, from, to, known)
	if err != nil {
		return nil, fmt.Errorf("find states: %w", err)
	}
	var list []fleet.Point
	err = each(rows, func() error {
		p := fleet.Point{Station: q.Station, EVSE: q.EVSE}
		var valid, knownAt int64
		if err := rows.Scan(&valid, &p.Seq, &knownAt, &p.State); err != nil {
			return err
		}
		p.ValidFrom, p.KnownAt = micros(valid), micros(knownAt)
		if n := len(list); n > 0 && list[n-1].ValidFrom.Equal(p.ValidFrom) {
			list[n-1] = p // told again, and the later telling counts
			return nil
		}
		list = append(list, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	return list, nil
}

// Observed lists when we were up.
func (s *Store) Observed(ctx context.Context, from, to time.Time) ([]journal.Interval, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT started_at, alive_at FROM server_runs
		WHERE alive_at >= ? AND started_at < ? ORDER BY seq`, from.UnixMicro(), to.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("find our runs: %w", err)
	}
	var list []journal.Interval
	err = each(rows, func() error {
		var start, alive int64
		err := rows.Scan(&start, &alive)
		list = append(list, journal.Interval{From: micros(start), To: micros(alive)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read our runs: %w", err)
	}
	return list, nil
}

// Commands lists commands, newest first.
func (s *Store) Commands(ctx context.Context, q journal.CommandQuery) ([]journal.Command, journal.Cursor, error) {
	limit := journal.Limit(q.Limit)
	end, err := before(q.Before)
	if err != nil {
		return nil, "", err
	}
	where, args := `n < ?`, []any{end.seq}
	if q.Station != "" {
		id, ok := s.stationID(q.Station)
		if !ok {
			return nil, "", nil
		}
		where += ` AND station = ?`
		args = append(args, id)
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT n, id, station, action, payload, requested_by, requested_at, deadline,
		status, response, error_code, description, late, finished_at FROM commands WHERE `+where+` ORDER BY n DESC LIMIT ?`,
		append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("find commands: %w", err)
	}
	var list []journal.Command
	var places []place
	err = each(rows, func() error {
		var c journal.Command
		var p place
		var station, at int64
		var deadline, finished sql.NullInt64
		var payload, response, code, text sql.NullString
		if err := rows.Scan(&p.seq, &c.ID, &station, &c.Action, &payload, &c.By, &at, &deadline,
			&c.Status, &response, &code, &text, &c.Late, &finished); err != nil {
			return err
		}
		k, err := s.nameOf(station)
		if err != nil {
			return err
		}
		c.Station = k.name
		c.At, c.Deadline, c.FinishedAt = micros(at), timeOf(deadline), timeOf(finished)
		c.Payload, c.Response = rawOf(payload), rawOf(response)
		c.ErrorCode, c.Description = code.String, text.String
		places, list = append(places, p), append(list, c)
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("read commands: %w", err)
	}
	if len(list) > limit {
		return list[:limit], places[limit-1].cursor(), nil
	}
	return list, "", nil
}

func rawOf(v sql.NullString) json.RawMessage {
	if !v.Valid {
		return nil
	}
	return json.RawMessage(v.String)
}

// Conformance lists what was odd about a station's frames.
func (s *Store) Conformance(ctx context.Context, station string) ([]journal.Conformance, error) {
	where, args := `1`, []any{}
	if station != "" {
		id, ok := s.stationID(station)
		if !ok {
			return nil, nil
		}
		where, args = `station = ?`, []any{id}
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT station, vendor, model, firmware, code, count, first_at, last_at, example
		FROM conformance WHERE `+where+` ORDER BY last_at DESC LIMIT 10000`, args...)
	if err != nil {
		return nil, fmt.Errorf("find conformance: %w", err)
	}
	var list []journal.Conformance
	err = each(rows, func() error {
		var c journal.Conformance
		var id, first, last int64
		if err := rows.Scan(&id, &c.Vendor, &c.Model, &c.Firmware, &c.Code, &c.Count, &first, &last, &c.Example); err != nil {
			return err
		}
		k, err := s.nameOf(id)
		if err != nil {
			return err
		}
		c.Station = k.name
		c.FirstAt, c.LastAt = micros(first), micros(last)
		list = append(list, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read conformance: %w", err)
	}
	return list, nil
}

// ProjectCursor returns how far a projection has come.
func (s *Store) ProjectCursor(ctx context.Context, name string) (journal.Cursor, error) {
	var c journal.Cursor
	err := s.db.Reader().QueryRowContext(ctx, `SELECT cursor FROM projections WHERE name = ?`, name).Scan((*string)(&c))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read cursor of %s: %w", name, err)
	}
	return c, nil
}
