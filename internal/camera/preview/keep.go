package preview

import (
	"context"
	"errors"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
)

// Run puts previews beside the files of their moments and makes what lacks, until
// ctx ends.
func (s *Service) Run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.makeRest(ctx)
	}()
	defer func() { <-done }()
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.flush(ctx, settled)
		case <-ctx.Done():
			// Nothing records any more: all files are whole.
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
			defer cancel()
			s.flush(last, 0)
			return
		}
	}
}

// flush puts previews that are older into their files.
func (s *Service) flush(ctx context.Context, older time.Duration) {
	before := s.o.Now().Add(-older)
	due := make(map[string][]record.Preview)
	s.mu.Lock()
	for camera, list := range s.live {
		if len(list) > 0 && !list[0].At.After(before) {
			due[camera] = append([]record.Preview(nil), list...)
		}
	}
	s.mu.Unlock()
	for camera, list := range due {
		until, err := s.settle(ctx, camera, list)
		if err != nil && ctx.Err() == nil {
			s.o.Logger.WarnContext(ctx, "previews are not kept", "camera", camera, "err", err)
		}
		if limit := s.o.Now().Add(-forgotten); until.Before(limit) {
			until = limit
		}
		s.drop(camera, until)
	}
}

// settle writes what lies in whole files and says until when that is all.
func (s *Service) settle(ctx context.Context, camera string, list []record.Preview) (until time.Time, err error) {
	files, err := s.o.Store.Segments(ctx, source(camera), list[0].At, list[len(list)-1].At.Add(time.Microsecond), 0)
	if errors.Is(err, record.ErrNotFound) {
		return until, nil
	}
	if err != nil {
		return until, err
	}
	for _, g := range files {
		if g.Open {
			break
		}
		if err := s.o.Store.PutPreviews(ctx, g, list); err != nil && !errors.Is(err, record.ErrNotFound) {
			return until, err
		}
		until = g.End
	}
	return until, nil
}

// drop forgets what is older.
func (s *Service) drop(camera string, before time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.live[camera]
	n := 0
	for n < len(list) && list[n].At.Before(before) {
		n++
	}
	if n == len(list) {
		delete(s.live, camera)
		return
	}
	s.live[camera] = append([]record.Preview(nil), list[n:]...)
}

// rest has the previews of a file made of which somebody wanted one.
func (s *Service) rest(g *record.Segment) {
	key := fileKey{g.Camera, g.Seq}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.filling[key] {
		return
	}
	select {
	case s.fill <- g:
		s.filling[key] = true
	default: // whoever asks again has it begin again
	}
}

func (s *Service) makeRest(ctx context.Context) {
	for {
		select {
		case g := <-s.fill:
			if err := s.makeFile(ctx, g); err != nil && ctx.Err() == nil && !errors.Is(err, record.ErrNotFound) {
				s.o.Logger.InfoContext(ctx, "previews cannot be made", "camera", g.Camera, "err", err)
			}
			s.mu.Lock()
			delete(s.filling, fileKey{g.Camera, g.Seq})
			s.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// makeFile decodes what a file lacks, key picture by key picture.
func (s *Service) makeFile(ctx context.Context, g *record.Segment) error {
	list, err := s.o.Store.Previews(g, g.Start, g.End)
	if err != nil && !errors.Is(err, record.ErrNotFound) && !errors.Is(err, record.ErrPreviews) {
		return err
	}
	made := 0
	for _, k := range g.Keys {
		near := false
		for _, p := range list {
			near = near || p.At.Sub(k.At).Abs() < Every
		}
		if near {
			continue
		}
		p, err := s.decode(ctx, g.Camera, k.At)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			continue // one damaged picture is not the end of the minute
		}
		list = append(list, p)
		made++
	}
	if made == 0 {
		return nil
	}
	return s.o.Store.PutPreviews(ctx, g, list)
}
