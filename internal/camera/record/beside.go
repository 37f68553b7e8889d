package record

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// What lies beside a file counts like the file: against the bounds of bytes and in
// what a camera takes. A crash may lose the last second of notes; the start looks at
// the newest hours.

// beside is how many bytes of previews a segment has from now on.
type beside struct{ source, seq, bytes int64 }

// noteBeside has it counted with the next rows.
func (s *Store) noteBeside(b beside) {
	s.mu.Lock()
	s.besides = append(s.besides, b)
	s.mu.Unlock()
	s.kick()
}

// put counts it, unless the segment is gone meanwhile.
func (b beside) put(ctx context.Context, tx *sql.Tx) error {
	var had int64
	err := tx.QueryRowContext(ctx, `SELECT beside FROM segment WHERE source = ? AND seq = ?`, b.source, b.seq).Scan(&had)
	if errors.Is(err, sql.ErrNoRows) || err == nil && had == b.bytes {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find a segment: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE segment SET beside = ? WHERE source = ? AND seq = ?`, b.bytes, b.source, b.seq); err != nil {
		return fmt.Errorf("note previews: %w", err)
	}
	return count(ctx, tx, b.source, b.bytes-had)
}

// restoreBeside counts what lies beside the files of the hours since a time.
func (s *Store) restoreBeside(ctx context.Context, t *track, after time.Time) error {
	folder := path.Join(t.Camera, t.Stream)
	days, err := s.list(folder)
	if err != nil {
		return err
	}
	for _, day := range days {
		if day < after.Format("20060102") {
			continue
		}
		hours, err := s.list(path.Join(folder, day))
		if err != nil {
			return err
		}
		for _, hour := range hours {
			if day+hour < after.Format("2006010215") {
				continue
			}
			if err := s.restoreHourBeside(ctx, t, day, hour); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) restoreHourBeside(ctx context.Context, t *track, day, hour string) error {
	d, err := s.dir.Open(path.Join(t.Camera, t.Stream, day, hour))
	if err != nil {
		return fmt.Errorf("open an hour: %w", err)
	}
	entries, err := d.ReadDir(-1)
	if err := errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("list an hour: %w", err)
	}
	var found []beside
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), previewSuffix)
		if !ok || !e.Type().IsRegular() {
			continue
		}
		_, number, _ := strings.Cut(name, "-")
		seq, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			continue // not ours
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look at previews: %w", err)
		}
		found = append(found, beside{t.id, seq, info.Size()})
	}
	if len(found) == 0 {
		return nil
	}
	return s.db.tx(ctx, func(tx *sql.Tx) error {
		for _, b := range found {
			if err := b.put(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
}
