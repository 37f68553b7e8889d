package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// promises watches whether pictures stay as long as was promised. What is short
// for some minutes is told, and taken back when there was a tenth more room than
// needed for as long: a camera in a busy street must not ring every hour. Cameras
// that share what limits them are told as one.
type promises struct {
	loaded bool
	told   map[string]toldShort // by what limits, see limitKey
	since  map[string]time.Time // from when it is otherwise than was told
}

// toldShort is what was said last of a limit.
type toldShort struct {
	Camera string  `json:"camera"` // that speaks for all
	Days   float64 `json:"days"`
}

const (
	promiseFor = 2 * retainEvery
	enoughRoom = 1.1
)

// shortFile holds what was told, so that a restart does not tell it again.
const shortFile = "index.short.json"

// limitKey names what limits a camera.
func limitKey(camera, site, by string) string {
	switch by {
	case ByCamera:
		return by + "/" + camera
	case BySite:
		return by + "/" + site
	}
	return by
}

// tellPromises looks once. It is called by one goroutine at a time.
func (s *Store) tellPromises(ctx context.Context, limits Limits, now time.Time) error {
	if s.o.Teller == nil {
		return nil
	}
	p := &s.promises
	if !p.loaded {
		if err := s.loadShort(p); err != nil {
			return err
		}
	}
	s.mu.Lock()
	usage := s.usage
	s.mu.Unlock()
	short := make(map[string][]string) // by limit: the cameras, the shortest first
	for _, camera := range slices.Sorted(maps.Keys(usage)) {
		u := usage[camera]
		keep, known := limits.Cameras[camera]
		if known && !keep.Removed && u.LimitedBy != "" {
			key := limitKey(camera, keep.Site, u.LimitedBy)
			short[key] = append(short[key], camera)
		}
	}
	for _, list := range short {
		slices.SortStableFunc(list, func(a, b string) int {
			switch ra, rb := usage[a].Room, usage[b].Room; {
			case ra < rb:
				return -1
			case ra > rb:
				return 1
			}
			return 0
		})
	}
	var errs []error
	for key, list := range short {
		if was, told := p.told[key]; told && !gone(limits, was.Camera) {
			delete(p.since, key)
			continue
		}
		if !p.lasts(key, now) {
			continue
		}
		u := usage[list[0]]
		errs = append(errs, s.tellShort(ctx, key, list[0], event.RecordingRetention{
			SiteID: limits.Cameras[list[0]].Site, Short: true, PromisedDays: inDays(u.Promised), EffectiveDays: inDays(u.Effective),
			LimitedBy: u.LimitedBy, Cameras: len(list),
		}))
	}
	for key, was := range p.told {
		if len(short[key]) > 0 {
			continue
		}
		u, keep := usage[was.Camera], limits.Cameras[was.Camera]
		if gone(limits, was.Camera) {
			delete(p.told, key) // what was said of it ended with it
			errs = append(errs, s.saveShort())
			continue
		}
		if u.Room > 0 && u.Room < enoughRoom {
			delete(p.since, key)
			continue
		}
		if !p.lasts(key, now) {
			continue
		}
		errs = append(errs, s.tellShort(ctx, key, was.Camera, event.RecordingRetention{
			SiteID: keep.Site, PromisedDays: inDays(u.Promised), EffectiveDays: inDays(u.Effective),
		}))
	}
	for key := range p.since { // a limit that nothing is said of any more
		if _, told := p.told[key]; !told && len(short[key]) == 0 {
			delete(p.since, key)
		}
	}
	return errors.Join(errs...)
}

// lasts notes that it is otherwise than was told, and reports whether it has been
// for long enough.
func (p *promises) lasts(key string, now time.Time) bool {
	if _, ok := p.since[key]; !ok {
		p.since[key] = now
	}
	return now.Sub(p.since[key]) >= promiseFor
}

func gone(limits Limits, camera string) bool {
	keep, known := limits.Cameras[camera]
	return !known || keep.Removed
}

// tellShort says it; what could not be said is said at the next look.
func (s *Store) tellShort(ctx context.Context, key, camera string, r event.RecordingRetention) error {
	if err := s.o.Teller.RecordingRetention(ctx, camera, r); err != nil {
		return fmt.Errorf("tell how long pictures of %s stay: %w", camera, err)
	}
	p := &s.promises
	delete(p.since, key)
	if r.Short {
		p.told[key] = toldShort{camera, r.EffectiveDays}
	} else {
		delete(p.told, key)
	}
	return s.saveShort()
}

func (s *Store) saveShort() error {
	if err := s.writeJSON(shortFile, s.promises.told); err != nil {
		return fmt.Errorf("note what was told of retention: %w", err)
	}
	return nil
}

func (s *Store) loadShort(p *promises) error {
	p.told, p.since = make(map[string]toldShort), make(map[string]time.Time)
	b, err := s.dir.ReadFile(shortFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("read what was told of retention: %w", err)
	case json.Unmarshal(b, &p.told) != nil:
		p.told = make(map[string]toldShort) // it is told once more
	}
	p.loaded = true
	return nil
}

// inDays is a time in days, to a tenth.
func inDays(d time.Duration) float64 {
	return float64(int64(d.Hours()/24*10+0.5)) / 10
}
