package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of channels.
const (
	MaxChannels     = 200
	maxSettingsSize = 16 << 10
)

// Secrets are what a channel proves itself with. They are shown nowhere: what
// prints or encodes them gets their names.
type Secrets map[string]string

// Names lists what is set.
func (s Secrets) Names() []string {
	names := make([]string, 0, len(s))
	for name, value := range s {
		if value != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// String hides the values.
func (s Secrets) String() string { return "set: " + strings.Join(s.Names(), ", ") }

// GoString hides the values.
func (s Secrets) GoString() string { return s.String() }

// LogValue hides the values.
func (s Secrets) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON hides the values.
func (s Secrets) MarshalJSON() ([]byte, error) { return json.Marshal(s.Names()) }

// Channel is one way to people or to another system.
type Channel struct {
	ID        string
	Name      string
	Type      string
	Enabled   bool
	Owner     Actor // whose browser it is; empty: nobody's
	Settings  map[string]any
	Secrets   Secrets
	CreatedAt time.Time
	ChangedAt time.Time

	OKAt     time.Time // last hand-over that was accepted
	FailedAt time.Time // last one that was not
	// SecretsLost is true when they were sealed with a key that is gone: somebody
	// has to enter them again.
	SecretsLost bool
	Failure     string // why
}

func (c *Channel) validate() error {
	c.Name = strings.TrimSpace(c.Name)
	if n := utf8.RuneCountInString(c.Name); n == 0 || n > 64 || !readable(c.Name, false) {
		return &InvalidError{"name", "1 to 64 printable characters"}
	}
	return nil
}

func (s *Store) encodeChannel(c *Channel) (settings, secrets string, err error) {
	a, err := json.Marshal(c.Settings)
	if err != nil {
		return "", "", fmt.Errorf("encode settings: %w", err)
	}
	b, err := json.Marshal(map[string]string(c.Secrets))
	if err != nil {
		return "", "", fmt.Errorf("encode secrets: %w", err)
	}
	if len(a)+len(b) > maxSettingsSize {
		return "", "", &InvalidError{"settings", fmt.Sprintf("at most %d bytes in all", maxSettingsSize)}
	}
	secrets, err = s.hide(string(b), channelPlace(c.ID))
	return string(a), secrets, err
}

const channelColumns = `id, name, type, enabled, owner, settings, secrets, created_at, changed_at, ok_at, failed_at, failure`

func (s *Store) scanChannel(r interface{ Scan(...any) error }) (Channel, error) {
	var c Channel
	var settings, secrets string
	var created, changed, ok, failed int64
	if err := r.Scan(&c.ID, &c.Name, &c.Type, &c.Enabled, &c.Owner, &settings, &secrets, &created, &changed, &ok, &failed, &c.Failure); err != nil {
		return c, err
	}
	c.CreatedAt, c.ChangedAt, c.OKAt, c.FailedAt = fromMillis(created), fromMillis(changed), fromMillis(ok), fromMillis(failed)
	if err := json.Unmarshal([]byte(settings), &c.Settings); err != nil {
		return c, fmt.Errorf("channel %s: decode settings: %w", c.ID, err)
	}
	secrets, err := s.reveal(secrets, channelPlace(c.ID))
	if lost(err) {
		c.SecretsLost, c.Failure, c.FailedAt = true, "its secrets were sealed with a key that is gone: enter them again", laterOf(c.OKAt, c.ChangedAt).Add(time.Millisecond)
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("channel %s: %w", c.ID, err)
	}
	if err := json.Unmarshal([]byte(secrets), (*map[string]string)(&c.Secrets)); err != nil {
		return c, fmt.Errorf("channel %s: decode secrets: %w", c.ID, err)
	}
	return c, nil
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Channels lists all channels by name.
func (s *Store) Channels(ctx context.Context) ([]Channel, error) {
	var out []Channel
	err := s.query(ctx, "channels", `SELECT `+channelColumns+` FROM channels ORDER BY name COLLATE NOCASE, id`, nil, func(r *sql.Rows) error {
		c, err := s.scanChannel(r)
		out = append(out, c)
		return err
	})
	return out, err
}

// Channel returns one channel.
func (s *Store) Channel(ctx context.Context, id string) (*Channel, error) {
	c, err := s.scanChannel(s.db.Reader().QueryRowContext(ctx, `SELECT `+channelColumns+` FROM channels WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("channel %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read channel: %w", err)
	}
	return &c, nil
}

// CreateChannel adds a channel.
func (s *Store) CreateChannel(ctx context.Context, by Actor, c Channel) (*Channel, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	now := fromMillis(millis(s.now()))
	c.ID, c.CreatedAt, c.ChangedAt = newID("ch-"), now, now
	settings, secrets, err := s.encodeChannel(&c)
	if err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM channels`).Scan(&n); err != nil {
			return fmt.Errorf("count channels: %w", err)
		}
		if n >= MaxChannels {
			return fmt.Errorf("channels: %w", ErrFull)
		}
		if _, err := tx.Exec(`INSERT INTO channels (id, name, type, enabled, owner, settings, secrets, created_at, changed_at) VALUES (?,?,?,?,?,?,?,?,?)`,
			c.ID, c.Name, c.Type, c.Enabled, string(c.Owner), settings, secrets, millis(now), millis(now)); err != nil {
			return fmt.Errorf("write channel: %w", err)
		}
		return s.audit(tx, by, "channel.create", "channel/"+c.ID, map[string]any{"type": c.Type})
	})
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// UpdateChannel changes a channel. What change does to it is checked by change.
func (s *Store) UpdateChannel(ctx context.Context, by Actor, id string, change func(*Channel) error) (*Channel, error) {
	var c Channel
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var err error
		c, err = s.scanChannel(tx.QueryRow(`SELECT `+channelColumns+` FROM channels WHERE id = ?`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("channel %s: %w", id, ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("read channel: %w", err)
		}
		c.Settings, c.Secrets = maps.Clone(c.Settings), maps.Clone(c.Secrets)
		if err := change(&c); err != nil {
			return err
		}
		if err := c.validate(); err != nil {
			return err
		}
		settings, secrets, err := s.encodeChannel(&c)
		if err != nil {
			return err
		}
		c.SecretsLost = false
		c.ChangedAt = fromMillis(millis(s.now()))
		if _, err := tx.Exec(`UPDATE channels SET name = ?, enabled = ?, settings = ?, secrets = ?, changed_at = ? WHERE id = ?`,
			c.Name, c.Enabled, settings, secrets, millis(c.ChangedAt), id); err != nil {
			return fmt.Errorf("write channel: %w", err)
		}
		return s.audit(tx, by, "channel.change", "channel/"+id, map[string]any{"enabled": c.Enabled})
	})
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// DeleteChannel removes a channel that nothing leads to. What waits for it is
// skipped.
func (s *Store) DeleteChannel(ctx context.Context, by Actor, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := s.channelUnused(tx, id); err != nil {
			return err
		}
		res, err := tx.Exec(`DELETE FROM channels WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("delete channel: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("channel %s: %w", id, ErrNotFound))
		}
		if _, err := tx.Exec(`UPDATE deliveries SET state = 'skipped', reason = 'the channel was removed', changed_at = ?
			WHERE channel = ? AND state IN ('waiting', 'sending')`, millis(s.now()), id); err != nil {
			return fmt.Errorf("skip what waits: %w", err)
		}
		if _, err := tx.Exec(`DELETE FROM standing_alerts WHERE channel = ?`, id); err != nil {
			return fmt.Errorf("forget standing alerts: %w", err)
		}
		return s.audit(tx, by, "channel.delete", "channel/"+id, nil)
	})
}

// ChannelLedTo reports whether a route, an escalation or a schedule leads to a
// channel.
func (s *Store) ChannelLedTo(ctx context.Context, id string) (bool, error) {
	tx, err := s.db.Reader().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return false, fmt.Errorf("look for who uses a channel: %w", err)
	}
	err = s.channelUnused(tx, id)
	if undone := tx.Rollback(); undone != nil && err == nil {
		err = undone
	}
	if errors.Is(err, ErrInUse) {
		return true, nil
	}
	return false, err
}

// channelUnused reports who leads to a channel.
func (s *Store) channelUnused(tx *sql.Tx, id string) error {
	routing, err := readRouting(tx)
	if err != nil {
		return err
	}
	for _, r := range routing.Routes {
		if slices.Contains(r.Channels, id) {
			return &InUseError{fmt.Sprintf("the route %q leads to it", r.Name)}
		}
	}
	for _, of := range []struct{ what, text string }{
		{"escalation", `SELECT name FROM escalations, json_tree(escalations.data) AS j WHERE j.atom = ? LIMIT 1`},
		{"on-call schedule", `SELECT name FROM schedules, json_tree(schedules.data) AS j WHERE j.atom = ? LIMIT 1`},
	} {
		var name string
		err := tx.QueryRow(of.text, id).Scan(&name)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look for who uses a channel: %w", err)
		}
		return &InUseError{fmt.Sprintf("the %s %q leads to it", of.what, name)}
	}
	return nil
}

// knownChannels returns the ids of all channels.
func knownChannels(tx *sql.Tx) (map[string]bool, error) {
	return idsOf(tx, `SELECT id FROM channels`)
}

func idsOf(tx *sql.Tx, text string) (_ map[string]bool, err error) {
	rows, err := tx.Query(text)
	if err != nil {
		return nil, fmt.Errorf("read ids: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	known := make(map[string]bool)
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read ids: %w", err)
		}
		known[id] = true
	}
	return known, rows.Err()
}

// checkChannels refuses ids of channels that are not there.
func checkChannels(known map[string]bool, field string, ids []string) error {
	if len(ids) > 50 {
		return &InvalidError{field, "at most 50"}
	}
	for i, id := range ids {
		if !known[id] {
			return &InvalidError{fmt.Sprintf("%s[%d]", field, i), "no such channel"}
		}
	}
	return nil
}
