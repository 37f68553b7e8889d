package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// Heartbeat is who is told that we are well, and how often. The address often is
// the secret itself, so it is not shown.
type Heartbeat struct {
	Enabled      bool   `json:"enabled"`
	URL          string `json:"url"`
	Method       string `json:"method"`
	EverySeconds int    `json:"everySeconds"`
}

const heartbeatName = "notify.heartbeat"

// Heartbeat returns the dead-man heartbeat.
func (s *Store) Heartbeat(ctx context.Context) (Heartbeat, error) {
	h := Heartbeat{Method: "POST", EverySeconds: 60}
	var text string
	err := s.db.Reader().QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, heartbeatName).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return h, nil
	}
	if err != nil {
		return h, fmt.Errorf("read the heartbeat: %w", err)
	}
	text, err = s.reveal(text, settingPlace(heartbeatName))
	if lost(err) {
		s.log.WarnContext(ctx, "the address of the heartbeat cannot be read; enter it again", "err", err)
		return h, nil
	}
	if err != nil {
		return h, err
	}
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		return h, fmt.Errorf("decode the heartbeat: %w", err)
	}
	return h, nil
}

// PutHeartbeat changes the dead-man heartbeat.
func (s *Store) PutHeartbeat(ctx context.Context, by Actor, h Heartbeat) error {
	u, err := url.Parse(h.URL)
	if h.URL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(h.URL) > 2000) {
		return &InvalidError{"url", "must be an address that begins with https:// or http://"}
	}
	if h.Enabled && h.URL == "" {
		return &InvalidError{"url", "is needed"}
	}
	if h.Method != "GET" && h.Method != "POST" {
		return &InvalidError{"method", "must be GET or POST"}
	}
	if h.EverySeconds < 10 || h.EverySeconds > 86400 {
		return &InvalidError{"everySeconds", "must be 10 to 86400"}
	}
	data, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encode the heartbeat: %w", err)
	}
	text, err := s.hide(string(data), settingPlace(heartbeatName))
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO settings (name, value) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value=excluded.value`,
			heartbeatName, text); err != nil {
			return fmt.Errorf("write the heartbeat: %w", err)
		}
		return s.audit(tx, by, "heartbeat.change", "setting/"+heartbeatName, map[string]any{"enabled": h.Enabled, "everySeconds": h.EverySeconds})
	})
}
