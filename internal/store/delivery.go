package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Bounds of the queue. Settled rows are kept for DeliveriesFor, or fewer when
// there are more than maxSettled; what a channel cannot take beyond maxWaiting
// is refused and listed as failed, S1 beyond twice that.
const (
	DeliveriesFor = 30 * 24 * time.Hour
	maxSettled    = 200_000
	maxWaiting    = 5_000
	maxFollowUps  = 50_000
)

// The states of a delivery.
const (
	DeliveryWaiting = "waiting"
	DeliverySending = "sending"
	DeliverySent    = "sent"
	DeliveryFailed  = "failed"
	DeliverySkipped = "skipped" // nobody needs it any more
)

// Delivery is one notice on its way through one channel.
type Delivery struct {
	ID       int64
	Key      string // idempotency: notice, step and channel
	Channel  string
	Incident string
	Change   string
	Severity string
	Site     string
	Route    string
	Bunch    string // deliveries of a bunch may go out as one message
	Data     []byte // the notice
	State    string
	Batch    string // key of the message it went out with
	Attempts int
	// MaybeDuplicate counts attempts whose outcome a crash hid.
	MaybeDuplicate int
	Reason         string
	DueAt          time.Time
	CreatedAt      time.Time
	ChangedAt      time.Time
	SentAt         time.Time
	// Apart is how long after the last message of its bunch it goes out at the
	// earliest; only when it is added.
	Apart time.Duration
	// OnlyIfTold drops it unless its channel was told of the incident before.
	OnlyIfTold bool
}

// FollowUp is what happens later unless the incident is taken care of.
type FollowUp struct {
	Key      string
	Incident string
	DueAt    time.Time
	Data     []byte
}

// Dispatch is what follows from one notice or one follow-up; it is committed
// together.
type Dispatch struct {
	// Notice is the place of the notice, 0 if a follow-up is the cause.
	Notice uint64
	// Done is the key of the follow-up that is the cause.
	Done       string
	Incident   string
	Deliveries []Delivery
	FollowUps  []FollowUp
	// Over forgets what would have followed; Unsent skips what was not sent yet.
	Over, Unsent bool
}

const noticeCursor = "notices"

// NoticeRow is a notice as it is stored.
type NoticeRow struct {
	Seq  uint64
	Data []byte
	At   time.Time
}

// NoticesAfter returns notices behind a place, in order.
func (s *Store) NoticesAfter(ctx context.Context, seq uint64, limit int) ([]NoticeRow, error) {
	var out []NoticeRow
	err := s.query(ctx, "notices", `SELECT seq, data, created_at FROM notices WHERE seq > ? ORDER BY seq LIMIT ?`, []any{int64(seq), limit}, func(r *sql.Rows) error {
		x, err := scanNotice(r)
		out = append(out, x)
		return err
	})
	return out, err
}

// NoticesOf returns the newest notices of an incident, newest first.
func (s *Store) NoticesOf(ctx context.Context, incident string, limit int) ([]NoticeRow, error) {
	var out []NoticeRow
	err := s.query(ctx, "notices", `SELECT seq, data, created_at FROM notices WHERE incident = ? ORDER BY seq DESC LIMIT ?`, []any{incident, limit}, func(r *sql.Rows) error {
		x, err := scanNotice(r)
		out = append(out, x)
		return err
	})
	return out, err
}

func scanNotice(r *sql.Rows) (NoticeRow, error) {
	var x NoticeRow
	var seq, at int64
	var data string
	err := r.Scan(&seq, &data, &at)
	x.Seq, x.Data, x.At = uint64(seq), []byte(data), fromMillis(at)
	return x, err
}

// NoticeCursor is how far notices were routed.
func (s *Store) NoticeCursor(ctx context.Context) (uint64, error) {
	var seq int64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT value FROM notify_progress WHERE name = ?`, noticeCursor).Scan(&seq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read the cursor of notices: %w", err)
	}
	return uint64(seq), nil
}

// Dispatch commits what follows from notices and follow-ups.
func (s *Store) Dispatch(ctx context.Context, all []Dispatch) error {
	now := s.now()
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		waiting := make(map[string]int)
		for i := range all {
			if err := s.dispatch(tx, &all[i], now, waiting); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) dispatch(tx *sql.Tx, d *Dispatch, now time.Time, waiting map[string]int) error {
	if d.Done != "" {
		if _, err := tx.Exec(`DELETE FROM follow_ups WHERE key = ?`, d.Done); err != nil {
			return fmt.Errorf("settle follow-up: %w", err)
		}
	}
	if d.Over {
		if _, err := tx.Exec(`DELETE FROM follow_ups WHERE incident = ?`, d.Incident); err != nil {
			return fmt.Errorf("forget follow-ups: %w", err)
		}
	}
	if d.Unsent {
		if _, err := tx.Exec(`UPDATE deliveries SET state = 'skipped', reason = 'over before anyone was told', changed_at = ?
			WHERE incident = ? AND state = 'waiting'`, millis(now), d.Incident); err != nil {
			return fmt.Errorf("skip what was not sent: %w", err)
		}
	}
	for k := range d.Deliveries {
		if err := s.enqueue(tx, &d.Deliveries[k], now, waiting); err != nil {
			return err
		}
	}
	for _, f := range d.FollowUps {
		// A bound for what nobody takes care of: further ones are told once.
		if _, err := tx.Exec(`INSERT INTO follow_ups (key, incident, due_at, data) SELECT ?,?,?,? WHERE (SELECT count(*) FROM follow_ups) < ?
			ON CONFLICT (key) DO NOTHING`, f.Key, f.Incident, millis(f.DueAt), string(f.Data), maxFollowUps); err != nil {
			return fmt.Errorf("write follow-up: %w", err)
		}
	}
	if d.Notice == 0 {
		return nil
	}
	if _, err := tx.Exec(`INSERT INTO notify_progress (name, value) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		noticeCursor, int64(d.Notice)); err != nil {
		return fmt.Errorf("move the cursor of notices: %w", err)
	}
	return nil
}

func (s *Store) enqueue(tx *sql.Tx, d *Delivery, now time.Time, waiting map[string]int) error {
	due := d.DueAt
	if d.OnlyIfTold {
		// An attempt that failed may have arrived all the same. What is still to be
		// tried goes first.
		var told int
		var before sql.NullInt64
		if err := tx.QueryRow(`SELECT count(*), max(due_at) FILTER (WHERE state = 'waiting') FROM deliveries
			WHERE incident = ? AND channel = ? AND (state IN ('sent', 'sending', 'waiting') OR attempts > 0)`,
			d.Incident, d.Channel).Scan(&told, &before); err != nil {
			return fmt.Errorf("look who was told: %w", err)
		}
		if told == 0 {
			return nil
		}
		if t := fromMillis(before.Int64); before.Valid && t.After(due) {
			due = t
		}
	}
	n, counted := waiting[d.Channel]
	if !counted {
		if err := tx.QueryRow(`SELECT count(*) FROM deliveries WHERE channel = ? AND state = 'waiting'`, d.Channel).Scan(&n); err != nil {
			return fmt.Errorf("count what waits: %w", err)
		}
	}
	waiting[d.Channel] = n + 1
	state, reason := DeliveryWaiting, ""
	if n >= maxWaiting && (d.Severity != "S1" || n >= 2*maxWaiting) {
		state, reason = DeliveryFailed, "too much waits for this channel"
	}
	if d.Apart > 0 || due.After(now) {
		var together, last sql.NullInt64
		if err := tx.QueryRow(`SELECT (SELECT min(due_at) FROM deliveries WHERE channel = ?1 AND bunch = ?2 AND state = 'waiting' AND batch = ''),
			(SELECT max(sent_at) FROM deliveries WHERE channel = ?1 AND bunch = ?2 AND state = 'sent')`, d.Channel, d.Bunch).Scan(&together, &last); err != nil {
			return fmt.Errorf("look for the bunch: %w", err)
		}
		switch {
		case together.Valid: // it goes along
			if t := fromMillis(together.Int64); t.Before(due) {
				due = t
			}
		case last.Valid:
			if t := fromMillis(last.Int64).Add(d.Apart); t.After(due) {
				due = t
			}
		}
	}
	_, err := tx.Exec(`INSERT INTO deliveries (key, channel, incident, change, severity, site, route, bunch, data, state, reason, due_at, created_at, changed_at)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (key) DO NOTHING`, d.Key, d.Channel, d.Incident, d.Change, d.Severity, d.Site, d.Route, d.Bunch,
		string(d.Data), state, reason, millis(due), millis(now), millis(now))
	if err != nil {
		return fmt.Errorf("write delivery: %w", err)
	}
	return nil
}

// Told lists the channels that were or will be told of an incident, with the
// newest delivery of each.
func (s *Store) Told(ctx context.Context, incident string) ([]Delivery, error) {
	return s.deliveries(ctx, `WHERE id IN (SELECT max(id) FROM deliveries WHERE incident = ? AND (state IN ('sent', 'sending', 'waiting') OR attempts > 0) GROUP BY channel) ORDER BY id`, incident)
}

// DueFollowUps returns follow-ups whose time has come.
func (s *Store) DueFollowUps(ctx context.Context, now time.Time, limit int) ([]FollowUp, error) {
	var out []FollowUp
	err := s.query(ctx, "follow-ups", `SELECT key, incident, due_at, data FROM follow_ups WHERE due_at <= ? ORDER BY due_at, key LIMIT ?`,
		[]any{millis(now), limit}, func(r *sql.Rows) error {
			var f FollowUp
			var due int64
			var data string
			err := r.Scan(&f.Key, &f.Incident, &due, &data)
			f.DueAt, f.Data = fromMillis(due), []byte(data)
			out = append(out, f)
			return err
		})
	return out, err
}

// NextFollowUp is when the first follow-up is due.
func (s *Store) NextFollowUp(ctx context.Context) (time.Time, bool, error) {
	var due sql.NullInt64
	if err := s.db.Reader().QueryRowContext(ctx, `SELECT min(due_at) FROM follow_ups`).Scan(&due); err != nil {
		return time.Time{}, false, fmt.Errorf("read follow-ups: %w", err)
	}
	return fromMillis(due.Int64), due.Valid, nil
}

// RecoverDeliveries puts what a channel had begun when it was cut off back into
// the queue and says how many may arrive twice.
func (s *Store) RecoverDeliveries(ctx context.Context, channel string) (int, error) {
	var n int64
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`UPDATE deliveries SET state = 'waiting', maybe_duplicate = maybe_duplicate + 1, changed_at = ?
			WHERE channel = ? AND state = 'sending'`, millis(s.now()), channel)
		if err != nil {
			return fmt.Errorf("put back what was being sent: %w", err)
		}
		n, err = res.RowsAffected()
		return err
	})
	return int(n), err
}

// NextDelivery is when the first waiting delivery of a channel is due.
func (s *Store) NextDelivery(ctx context.Context, channel string) (time.Time, bool, error) {
	var due sql.NullInt64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT min(due_at) FROM deliveries WHERE channel = ? AND state = 'waiting'`, channel).Scan(&due)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read what waits: %w", err)
	}
	return fromMillis(due.Int64), due.Valid, nil
}

// BeginDeliveries takes what goes out as the next message of a channel. That it
// was begun is durable before anything is sent.
func (s *Store) BeginDeliveries(ctx context.Context, channel string, together int) ([]Delivery, error) {
	var ids []int64
	now := millis(s.now())
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var first int64
		var bunch, batch, key string
		// What is most severe goes first: a backlog must not hold up an S1.
		err := tx.QueryRow(`SELECT id, bunch, batch, key FROM deliveries WHERE channel = ? AND state = 'waiting' AND due_at <= ?
			ORDER BY severity = 'S1' DESC, due_at, id LIMIT 1`, channel, now).Scan(&first, &bunch, &batch, &key)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read what is due: %w", err)
		}
		text, args := `id = ?`, []any{first}
		switch {
		case batch != "":
			text, args = `channel = ? AND batch = ?`, []any{channel, batch}
		case together > 1:
			text, args = `id IN (SELECT id FROM deliveries WHERE channel = ? AND bunch = ? AND state = 'waiting' AND batch = '' AND due_at <= ? ORDER BY due_at, id LIMIT ?)`,
				[]any{channel, bunch, now, together}
		}
		if batch == "" {
			batch = key
		}
		rows, err := tx.Query(`UPDATE deliveries SET state = 'sending', batch = ?, attempts = attempts + 1, changed_at = ? WHERE state = 'waiting' AND `+text+` RETURNING id`,
			append([]any{batch, now}, args...)...)
		if err != nil {
			return fmt.Errorf("begin deliveries: %w", err)
		}
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return errors.Join(fmt.Errorf("begin deliveries: %w", err), rows.Close())
			}
			ids = append(ids, id)
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	in, args := "", make([]any, len(ids))
	for i, id := range ids {
		in, args[i] = in+",?", id
	}
	return s.deliveries(ctx, `WHERE id IN (`+in[1:]+`) ORDER BY id`, args...)
}

// Outcome is what became of a message.
type Outcome struct {
	State  string    // sent, failed, or waiting to try again
	Reason string    // of a failure
	DueAt  time.Time // of the next attempt
}

// SettleDeliveries marks what went out as one message.
func (s *Store) SettleDeliveries(ctx context.Context, channel string, list []Delivery, o Outcome) error {
	now := millis(s.now())
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		sent := int64(0)
		if o.State == DeliverySent {
			sent = now
		}
		for i := range list {
			state, reason := o.State, clip(o.Reason, 500)
			if state == DeliveryWaiting {
				// The end of an incident must not arrive before its beginning.
				var over int
				if err := tx.QueryRow(`SELECT count(*) FROM deliveries WHERE incident = ? AND channel = ? AND id > ? AND change IN ('repaired', 'closed')`,
					list[i].Incident, channel, list[i].ID).Scan(&over); err != nil {
					return fmt.Errorf("look whether it is over: %w", err)
				}
				if over > 0 {
					state, reason = DeliverySkipped, "over before anyone was told"
				}
			}
			if _, err := tx.Exec(`UPDATE deliveries SET state = ?, reason = ?, due_at = CASE WHEN ? > 0 THEN ? ELSE due_at END, sent_at = ?, changed_at = ?
				WHERE id = ? AND state = 'sending'`, state, reason, millis(o.DueAt), millis(o.DueAt), sent, now, list[i].ID); err != nil {
				return fmt.Errorf("settle delivery: %w", err)
			}
		}
		return noteChannel(tx, channel, o.State == DeliverySent, o.Reason, now)
	})
}

func noteChannel(tx *sql.Tx, channel string, ok bool, reason string, now int64) error {
	text, args := `UPDATE channels SET failed_at = ?, failure = ? WHERE id = ?`, []any{now, clip(reason, 500), channel}
	if ok {
		text, args = `UPDATE channels SET ok_at = ?, failure = '' WHERE id = ?`, []any{now, channel}
	}
	if _, err := tx.Exec(text, args...); err != nil {
		return fmt.Errorf("note how the channel is: %w", err)
	}
	return nil
}

// NoteChannel records how a hand-over outside the queue went.
func (s *Store) NoteChannel(ctx context.Context, channel string, ok bool, reason string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error { return noteChannel(tx, channel, ok, reason, millis(s.now())) })
}

// DeliveryQuery selects deliveries, newest first.
type DeliveryQuery struct {
	Channel, State, Incident, Severity, Site string
	Before                                   int64 // id; 0: from the newest
	Limit                                    int
}

// Deliveries answers a query.
func (s *Store) Deliveries(ctx context.Context, q DeliveryQuery) ([]Delivery, error) {
	where, args := `WHERE (?1 = 0 OR id < ?1)`, []any{q.Before}
	for _, f := range []struct{ column, value string }{
		{"channel", q.Channel}, {"state", q.State}, {"incident", q.Incident}, {"severity", q.Severity}, {"site", q.Site},
	} {
		if f.value != "" {
			where, args = where+` AND `+f.column+` = ?`, append(args, f.value)
		}
	}
	return s.deliveries(ctx, where+` ORDER BY id DESC LIMIT ?`, append(args, q.Limit)...)
}

func (s *Store) deliveries(ctx context.Context, where string, args ...any) ([]Delivery, error) {
	var out []Delivery
	err := s.query(ctx, "deliveries", `SELECT id, key, channel, incident, change, severity, site, route, bunch, data, state, batch, attempts, maybe_duplicate,
		reason, due_at, created_at, changed_at, sent_at FROM deliveries `+where, args, func(r *sql.Rows) error {
		var d Delivery
		var data string
		var due, created, changed, sent int64
		err := r.Scan(&d.ID, &d.Key, &d.Channel, &d.Incident, &d.Change, &d.Severity, &d.Site, &d.Route, &d.Bunch, &data, &d.State, &d.Batch,
			&d.Attempts, &d.MaybeDuplicate, &d.Reason, &due, &created, &changed, &sent)
		d.Data, d.DueAt, d.CreatedAt, d.ChangedAt, d.SentAt = []byte(data), fromMillis(due), fromMillis(created), fromMillis(changed), fromMillis(sent)
		out = append(out, d)
		return err
	})
	return out, err
}

// DeliveryCounts is how the queue stands.
type DeliveryCounts struct{ Waiting, Failed int }

// CountDeliveries counts by channel what waits, and what failed in the last day.
func (s *Store) CountDeliveries(ctx context.Context) (map[string]DeliveryCounts, error) {
	out := make(map[string]DeliveryCounts)
	err := s.query(ctx, "deliveries", `SELECT channel, count(*), 0 FROM deliveries WHERE state = 'waiting' GROUP BY channel
		UNION ALL SELECT channel, count(*), 0 FROM deliveries WHERE state = 'sending' GROUP BY channel
		UNION ALL SELECT channel, 0, count(*) FROM deliveries WHERE state = 'failed' AND state IN ('sent', 'failed', 'skipped') AND changed_at >= ? GROUP BY channel`,
		[]any{millis(s.now().Add(-24 * time.Hour))}, func(r *sql.Rows) error {
			var id string
			var waiting, failed int
			err := r.Scan(&id, &waiting, &failed)
			c := out[id]
			out[id] = DeliveryCounts{c.Waiting + waiting, c.Failed + failed}
			return err
		})
	return out, err
}

// PruneDeliveries deletes what is settled and old, in one small step, and says
// whether there is more.
func (s *Store) PruneDeliveries(ctx context.Context) (more bool, err error) {
	const step = 2000
	old := millis(s.now().Add(-DeliveriesFor))
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, of := range []struct {
			text string
			args []any
		}{
			{`DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE state IN ('sent', 'failed', 'skipped') AND changed_at < ? ORDER BY changed_at LIMIT ?)`, []any{old, step}},
			{`DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE state IN ('sent', 'failed', 'skipped')
				ORDER BY changed_at LIMIT max(0, min(?, (SELECT count(*) FROM deliveries) - ?)))`, []any{step, maxSettled}},
			{`DELETE FROM notices WHERE seq IN (SELECT seq FROM notices AS n WHERE created_at < ? AND seq <= (SELECT value FROM notify_progress WHERE name = 'notices')
				AND EXISTS (SELECT 1 FROM notices AS later WHERE later.incident = n.incident AND later.seq > n.seq) ORDER BY seq LIMIT ?)`, []any{old, step}},
			{`DELETE FROM notices WHERE seq IN (SELECT seq FROM notices WHERE created_at < ? AND seq <= (SELECT value FROM notify_progress WHERE name = 'notices')
				AND data ->> '$.change' IN ('closed', 'repaired') ORDER BY seq LIMIT ?)`, []any{old, step}},
			{`DELETE FROM used_links WHERE expires_at < ?`, []any{millis(s.now())}},
		} {
			res, err := tx.Exec(of.text, of.args...)
			if err != nil {
				return fmt.Errorf("delete what is old: %w", err)
			}
			if n, err := res.RowsAffected(); err == nil && n == step {
				more = true
			}
		}
		return nil
	})
	return more, err
}
