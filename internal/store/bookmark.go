package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of bookmarks.
const (
	maxBookmarkText    = 500 // characters
	maxCameraBookmarks = 5_000
	maxBookmarks       = 100_000
	longestBookmark    = 6 * time.Hour
)

// Keep says whether the footage at a bookmark stays longer than others.
type Keep string

// For how long.
const (
	KeepNot      Keep = ""
	KeepIncident Keep = "incident" // as long as what incidents need
	KeepEvidence Keep = "evidence" // until somebody lets go of it
)

// Bookmark is a moment, or a time, of a camera's recordings that somebody marked.
type Bookmark struct {
	ID        string
	Camera    string
	SiteID    string // of the camera when it was marked
	At, Until time.Time
	Text      string // plain
	Keep      Keep
	Author    Actor
	CreatedAt time.Time
}

// BookmarkQuery selects bookmarks.
type BookmarkQuery struct {
	Cameras  []string  // nil: all
	Sites    []string  // nil: all
	From, To time.Time // zero: without bound
	Limit    int
	// BeforeAt and BeforeID name the last of the page before; empty: the first page.
	BeforeAt time.Time
	BeforeID string
}

func (b *Bookmark) validate() error {
	b.Text = plainText(b.Text)
	switch n := utf8.RuneCountInString(b.Text); {
	case n == 0:
		return &InvalidError{"text", "must not be empty"}
	case n > maxBookmarkText:
		return &InvalidError{"text", fmt.Sprintf("at most %d characters", maxBookmarkText)}
	case b.Until.Before(b.At) || b.Until.Sub(b.At) > longestBookmark:
		return &InvalidError{"until", fmt.Sprint("not before at, and at most ", longestBookmark, " after it")}
	case b.Keep != KeepNot && b.Keep != KeepIncident && b.Keep != KeepEvidence:
		return &InvalidError{"keep", "incident, evidence or empty"}
	}
	return nil
}

// AddBookmark marks a time.
func (s *Store) AddBookmark(ctx context.Context, by Actor, b Bookmark) (*Bookmark, error) {
	if b.Until.IsZero() {
		b.Until = b.At
	}
	if err := b.validate(); err != nil {
		return nil, err
	}
	b.ID, b.Author, b.CreatedAt = newID("b-"), by, fromMillis(millis(s.now()))
	b.At, b.Until = fromMillis(millis(b.At)), fromMillis(millis(b.Until))
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var here, all int
		if err := tx.QueryRow(`SELECT count(*) FILTER (WHERE camera = ?), count(*) FROM bookmarks`, b.Camera).Scan(&here, &all); err != nil {
			return fmt.Errorf("count bookmarks: %w", err)
		}
		if here >= maxCameraBookmarks || all >= maxBookmarks {
			return fmt.Errorf("bookmarks: %w", ErrFull)
		}
		if _, err := tx.Exec(`INSERT INTO bookmarks (id, camera, site, at, until, text, keep, author, created_at) VALUES (?,?,?,?,?,?,?,?,?)`,
			b.ID, b.Camera, b.SiteID, millis(b.At), millis(b.Until), b.Text, string(b.Keep), string(by), millis(b.CreatedAt)); err != nil {
			return fmt.Errorf("write bookmark: %w", err)
		}
		return s.audit(tx, by, "bookmark.create", "camera/"+b.Camera, map[string]any{"bookmark": b.ID, "at": b.At, "until": b.Until, "keep": b.Keep})
	})
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// Bookmark returns one.
func (s *Store) Bookmark(ctx context.Context, id string) (*Bookmark, error) {
	list, err := s.bookmarks(ctx, `WHERE id = ?`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("bookmark %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

// DeleteBookmark forgets one.
func (s *Store) DeleteBookmark(ctx context.Context, by Actor, id string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var camera, keep string
		err := tx.QueryRow(`DELETE FROM bookmarks WHERE id = ? RETURNING camera, keep`, id).Scan(&camera, &keep)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("bookmark %s: %w", id, ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("delete bookmark: %w", err)
		}
		return s.audit(tx, by, "bookmark.delete", "camera/"+camera, map[string]any{"bookmark": id, "keep": keep})
	})
}

// Bookmarks lists bookmarks, those of the newest footage first, and whether there
// are more.
func (s *Store) Bookmarks(ctx context.Context, q BookmarkQuery) (list []Bookmark, more bool, err error) {
	var where []string
	var args []any
	and := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	among := func(column string, values []string) {
		if values == nil {
			return
		}
		all := make([]any, len(values))
		for i, v := range values {
			all[i] = v
		}
		and(column+` IN (`+strings.TrimSuffix(strings.Repeat("?,", len(values)), ",")+`)`, all...)
	}
	among("camera", q.Cameras)
	among("site", q.Sites)
	if !q.From.IsZero() {
		and(`until >= ?`, millis(q.From))
	}
	if !q.To.IsZero() {
		and(`at < ?`, millis(q.To))
	}
	if q.BeforeID != "" {
		and(`(at, id) < (?, ?)`, millis(q.BeforeAt), q.BeforeID)
	}
	condition := ""
	if len(where) > 0 {
		condition = `WHERE ` + strings.Join(where, ` AND `)
	}
	list, err = s.bookmarks(ctx, condition+` ORDER BY at DESC, id DESC LIMIT ?`, append(args, q.Limit+1)...)
	if err != nil || len(list) <= q.Limit {
		return list, false, err
	}
	return list[:q.Limit], true, nil
}

// KeptBookmarks lists those that keep footage.
func (s *Store) KeptBookmarks(ctx context.Context) ([]Bookmark, error) {
	return s.bookmarks(ctx, `WHERE keep <> ''`)
}

func (s *Store) bookmarks(ctx context.Context, condition string, args ...any) ([]Bookmark, error) {
	var out []Bookmark
	err := s.query(ctx, "bookmarks", `SELECT id, camera, site, at, until, text, keep, author, created_at FROM bookmarks `+condition, args, func(r *sql.Rows) error {
		var b Bookmark
		var at, until, created int64
		err := r.Scan(&b.ID, &b.Camera, &b.SiteID, &at, &until, &b.Text, &b.Keep, &b.Author, &created)
		b.At, b.Until, b.CreatedAt = fromMillis(at), fromMillis(until), fromMillis(created)
		out = append(out, b)
		return err
	})
	return out, err
}
