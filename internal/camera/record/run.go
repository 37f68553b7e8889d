package record

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

// Run writes what is whole into the index, tells gaps and keeps what is written
// safe from a power cut, until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	beside.Go(func() { s.syncing(ctx) })
	beside.Go(func() { s.retaining(ctx) })
	defer beside.Wait()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.wake:
			// Rows that come together are written together.
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
		if err := s.save(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "cannot write the index of recordings", "err", err)
			s.kick()
		}
	}
}

// retainEvery is how often is looked what may go; sooner after the start, when the
// first cameras have shown what they send, and when people decided anew.
const (
	retainEvery = 2 * time.Minute
	retainFirst = 20 * time.Second
	retainSoon  = time.Second
)

func (s *Store) retaining(ctx context.Context) {
	next := time.NewTimer(retainFirst)
	defer next.Stop()
	for {
		if err := s.Retain(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "cannot remove old recordings", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			next.Reset(retainEvery)
		case <-s.decided:
			next.Reset(retainSoon)
			select {
			case <-ctx.Done():
				return
			case <-next.C: // what is decided together is looked at once
			}
			next.Reset(retainEvery)
		}
	}
}

// syncing syncs one open file after the other, each when it is due.
func (s *Store) syncing(ctx context.Context) {
	tick := time.NewTicker(max(s.o.SyncEvery/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, w := range s.due() {
			if err := s.sync(w); err != nil && ctx.Err() == nil && !isClosed(err) {
				s.log.WarnContext(ctx, "cannot sync a recording", "camera", w.Camera, "err", err)
			}
		}
	}
}

// due lists the open files that were not synced for long.
func (s *Store) due() []*writing {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.o.Now().Add(-s.o.SyncEvery * 7 / 8).UnixNano()
	var out []*writing
	for _, t := range s.sources {
		if w := t.writing; w != nil && w.dirty.Load() && w.synced.Load() < before {
			out = append(out, w)
		}
	}
	return out
}

// drain writes what waits, once nothing records any more.
func (s *Store) drain(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	s.emptied.Broadcast()
	s.mu.Unlock()
	return s.save(ctx)
}

// save closes the files that are whole and writes their rows, in one
// transaction. What could not be written waits on.
func (s *Store) save(ctx context.Context) error {
	s.mu.Lock()
	files, gaps, besides := s.waiting, s.gaps, s.besides
	s.gaps, s.besides = nil, nil
	s.mu.Unlock()
	if len(files) == 0 && len(gaps) == 0 && len(besides) == 0 {
		return nil
	}
	for _, f := range files {
		s.settle(ctx, f)
	}
	err := s.db.tx(ctx, func(tx *sql.Tx) error {
		for _, f := range files {
			if f.seg.Bytes == 0 {
				continue
			}
			if err := insertSegment(ctx, tx, s.idOf(f.seg.Source), &f.seg); err != nil {
				return err
			}
		}
		for _, g := range gaps {
			if err := insertGap(ctx, tx, s.idOf(g.Source), g); err != nil {
				return err
			}
		}
		for _, b := range besides {
			if err := b.put(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	s.mu.Lock()
	if err != nil {
		if len(s.besides)+len(besides) <= maxBesides {
			s.besides = append(besides, s.besides...)
		}
		s.gaps = append(gaps, s.gaps...)
		if n := len(s.gaps) - maxGaps; n > 0 {
			s.gaps = s.gaps[n:]
		}
	} else {
		s.waiting = s.waiting[len(files):]
		s.emptied.Broadcast()
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.tell(ctx, gaps)
}

// maxGaps bounds the gaps that wait for the index.
const maxGaps = 4096

// maxBesides bounds the notes of previews that wait for it. What is lost is counted
// at the next start.
const maxBesides = 4096

// settle closes a whole file and writes it into the ledger. An error costs no
// more than time at the next start, which looks at the file itself.
func (s *Store) settle(ctx context.Context, f *finished) {
	if f.w == nil {
		return
	}
	w := f.w
	f.w = nil
	var err error
	if f.seg.Bytes == 0 {
		err = errors.Join(w.file.Close(), s.dir.Remove(w.path()))
	} else {
		err = errors.Join(s.sync(w), w.file.Close(), s.note(&f.seg))
	}
	if err != nil {
		s.log.WarnContext(ctx, "cannot close a recording", "camera", w.Camera, "stream", w.Stream, "err", err)
	}
}

// tell says which gaps are over.
func (s *Store) tell(ctx context.Context, gaps []Gap) error {
	if s.o.Teller == nil {
		return nil
	}
	var errs []error
	for _, g := range gaps {
		if g.To.IsZero() {
			continue
		}
		errs = append(errs, s.o.Teller.RecordingGap(ctx, g.Camera, g.event()))
	}
	return errors.Join(errs...)
}

func (s *Store) idOf(src Source) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sources[src].id
}
