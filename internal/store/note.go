package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of what people write about a station.
const (
	MaxNotes    = 500  // of one station
	MaxNoteText = 2000 // characters
)

// Note is what a person wrote about a station.
type Note struct {
	ID      string
	Station string
	Author  Actor
	At      time.Time
	Text    string // plain
}

// plainText takes what is no text out of what a person typed.
func plainText(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n")))
}

// AddNote writes down what a person says about a station.
func (s *Store) AddNote(ctx context.Context, by Actor, station, text string) (Note, error) {
	text = plainText(text)
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return Note{}, &InvalidError{"text", "must not be empty"}
	case n > MaxNoteText:
		return Note{}, &InvalidError{"text", fmt.Sprintf("at most %d characters", MaxNoteText)}
	}
	x := Note{ID: newID("note-"), Station: station, Author: by, At: fromMillis(millis(s.now())), Text: text}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM notes WHERE station = ?`, station).Scan(&n); err != nil {
			return fmt.Errorf("count notes: %w", err)
		}
		if n >= MaxNotes {
			return fmt.Errorf("notes of %s: %w", station, ErrFull)
		}
		if _, err := tx.Exec(`INSERT INTO notes (id, station, author, at, text) VALUES (?,?,?,?,?)`,
			x.ID, x.Station, string(x.Author), millis(x.At), x.Text); err != nil {
			return fmt.Errorf("write note: %w", err)
		}
		return s.audit(tx, by, "note.create", event.Station(station).String(), map[string]any{"note": x.ID})
	})
	return x, err
}

// DeleteNote removes a note; one of somebody else only if others is true.
func (s *Store) DeleteNote(ctx context.Context, by Actor, station, id string, others bool) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var author string
		err := tx.QueryRow(`SELECT author FROM notes WHERE id = ? AND station = ?`, id, station).Scan(&author)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("note %s: %w", id, ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("find note: %w", err)
		}
		if author != string(by) && !others {
			return fmt.Errorf("note %s: %w", id, ErrNotYours)
		}
		if _, err := tx.Exec(`DELETE FROM notes WHERE id = ?`, id); err != nil {
			return fmt.Errorf("delete note: %w", err)
		}
		return s.audit(tx, by, "note.delete", event.Station(station).String(), map[string]any{"note": id})
	})
}

// Notes returns what was written about a station, newest first.
func (s *Store) Notes(ctx context.Context, station string) ([]Note, error) {
	var out []Note
	err := s.query(ctx, "notes", `SELECT id, author, at, text FROM notes WHERE station = ? ORDER BY at DESC, id`,
		[]any{station}, func(r *sql.Rows) error {
			x := Note{Station: station}
			var at int64
			err := r.Scan(&x.ID, &x.Author, &at, &x.Text)
			x.At = fromMillis(at)
			out = append(out, x)
			return err
		})
	return out, err
}
