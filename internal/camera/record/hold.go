package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"time"
)

// Hold keeps what a camera recorded in a time for longer: because an incident
// needs it, or because it is evidence.
type Hold struct {
	ID     string    `json:"id"`
	Camera string    `json:"camera"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Class  Class     `json:"class"`
	// Until is when the hold ends by itself; zero: an incident's after the time for
	// incidents, evidence never.
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// maxHolds bounds what has to be looked through before anything is removed.
const maxHolds = 20000

// ErrHolds is returned when too much is held.
var ErrHolds = errors.New("too many times are held")

// holdsFile is not derived from anything, so it is beside the index.
const holdsFile = "index.holds.json"

// Hold keeps a time, or changes how it is kept.
func (s *Store) Hold(h Hold) error {
	if h.ID == "" || h.Class != Incident && h.Class != Evidence || !h.To.After(h.From) {
		return fmt.Errorf("hold %q: %w", h.ID, ErrName)
	}
	if err := (Source{h.Camera, "main"}).check(); err != nil {
		return err
	}
	return s.changeHolds(func(m map[string]Hold) error {
		if _, ok := m[h.ID]; !ok && len(m) >= maxHolds {
			return ErrHolds
		}
		m[h.ID] = h
		return nil
	})
}

// Release ends a hold. Nothing is removed before retention comes to it.
func (s *Store) Release(id string) error {
	return s.changeHolds(func(m map[string]Hold) error {
		delete(m, id)
		return nil
	})
}

// Holds lists what is held of a camera, oldest first.
func (s *Store) Holds(camera string) []Hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Hold
	for _, h := range s.holds {
		if h.Camera == camera {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b Hold) int { return a.From.Compare(b.From) })
	return out
}

// HoldIDs names what is held of all cameras, in order.
func (s *Store) HoldIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.holds))
}

func (s *Store) changeHolds(change func(map[string]Hold) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := make(map[string]Hold, len(s.holds)+1)
	for id, h := range s.holds {
		if !h.over(s.o.Now(), s.limits.Of(h.Camera).Incident) {
			next[id] = h
		}
	}
	if err := change(next); err != nil {
		return err
	}
	if err := s.writeJSON(holdsFile, next); err != nil {
		return fmt.Errorf("keep what is held: %w", err)
	}
	s.holds = next
	return nil
}

func (s *Store) loadHolds() error {
	s.holds = make(map[string]Hold)
	b, err := s.dir.ReadFile(holdsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, &s.holds)
	}
	if err != nil {
		// Without it evidence could be removed: a person has to look.
		return fmt.Errorf("read what is held (%s/%s): %w", Folder, holdsFile, err)
	}
	return nil
}

// over reports whether a hold has ended.
func (h Hold) over(now time.Time, incident time.Duration) bool {
	switch {
	case !h.Until.IsZero():
		return now.After(h.Until)
	case h.Class == Evidence:
		return false
	}
	return now.After(h.To.Add(incident))
}

// writeJSON replaces a small file whole, safe from a power cut.
func (s *Store) writeJSON(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	next := name + ".new"
	f, err := s.dir.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, s.dir.Remove(next))
	}
	if err := s.dir.Rename(next, name); err != nil {
		return err
	}
	return s.syncFolder(path.Dir(name))
}

// classOf is why a segment is kept, holds included. The caller holds mu.
func (s *Store) classOf(g *Segment, holds []Hold) Class {
	c := g.Class
	for _, h := range holds {
		if h.Class > c && h.From.Before(g.End) && h.To.After(g.Start) {
			c = h.Class
		}
	}
	return c
}

// holdsOf lists the holds of a camera that have not ended.
func (s *Store) holdsOf(camera string, now time.Time) []Hold {
	s.mu.Lock()
	incident := s.limits.Of(camera).Incident
	s.mu.Unlock()
	return slices.DeleteFunc(s.Holds(camera), func(h Hold) bool { return h.over(now, incident) })
}
