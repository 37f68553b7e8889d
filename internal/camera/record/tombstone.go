package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// Tombstone says that links of a chain were removed by retention, so that what
// somebody else removed is told from it.
type Tombstone struct {
	Camera string      `json:"camera"`
	Stream string      `json:"stream"`
	First  uint64      `json:"first"` // sequence
	Last   uint64      `json:"last"`
	From   time.Time   `json:"from"`
	To     time.Time   `json:"to"`
	Bytes  int64       `json:"bytes"`
	Prev   segment.Sum `json:"prev"` // the link before the first
	Link   segment.Sum `json:"link"` // of the last
	At     time.Time   `json:"at"`
	Reason string      `json:"reason"` // age, bytes, site, volume or disk
	Sign   []byte      `json:"signature,omitempty"`
}

// Payload is what the signature covers.
func (t Tombstone) Payload() []byte {
	t.Sign = nil
	b, err := json.Marshal(t)
	if err != nil {
		return nil // it holds nothing that JSON refuses
	}
	return append([]byte("chargewatch removed 1\n"), b...)
}

func removedFile(src Source) string { return path.Join(src.Camera, src.Stream, "removed.json") }

// entomb notes that segments, in the order of their sequence, are removed.
// Those that follow each other share a tombstone, so that there are few.
func (s *Store) entomb(t *track, list []*Segment, reason string) error {
	s.mu.Lock()
	stones := slices.Clone(t.removed)
	s.mu.Unlock()
	now := s.o.Now().UTC().Truncate(time.Second)
	for _, g := range list {
		if slices.ContainsFunc(stones, func(x Tombstone) bool { return x.First <= g.Seq && g.Seq <= x.Last }) {
			continue // said before a failure
		}
		stones = append(stones, Tombstone{
			Camera: t.Camera, Stream: t.Stream, First: g.Seq, Last: g.Seq, From: g.Start, To: g.End, Bytes: g.Bytes,
			Prev: g.Prev, Link: g.Link, At: now, Reason: reason,
		})
	}
	slices.SortFunc(stones, func(a, b Tombstone) int { return int(int64(a.First) - int64(b.First)) })
	merged := stones[:0]
	for _, x := range stones {
		n := len(merged)
		if n > 0 && merged[n-1].Last+1 == x.First && merged[n-1].Link == x.Prev {
			m := &merged[n-1]
			m.Last, m.Link, m.To, m.Bytes, m.At, m.Reason, m.Sign = x.Last, x.Link, later(m.To, x.To), m.Bytes+x.Bytes, later(m.At, x.At), x.Reason, nil
			continue
		}
		merged = append(merged, x)
	}
	if s.o.Sign != nil {
		for i := range merged {
			if merged[i].Sign == nil {
				merged[i].Sign = s.o.Sign(merged[i].Payload())
			}
		}
	}
	if err := s.writeJSON(removedFile(t.Source), merged); err != nil {
		return fmt.Errorf("note what is removed: %w", err)
	}
	s.mu.Lock()
	t.removed = merged
	s.mu.Unlock()
	return nil
}

func (s *Store) loadRemoved(src Source) ([]Tombstone, error) {
	b, err := s.dir.ReadFile(removedFile(src))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []Tombstone
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("read what was removed: %w", err)
	}
	return out, nil
}

// Removed lists the tombstones of a stream, oldest first.
func (s *Store) Removed(src Source) []Tombstone {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.sources[src]; t != nil {
		return slices.Clone(t.removed)
	}
	return nil
}

// Head is the newest link of a stream's chain.
type Head struct {
	Source
	Seq  uint64
	Link segment.Sum
	To   time.Time
}

// Heads lists the newest links of all chains. Kept elsewhere they prove that
// nothing up to them was changed.
func (s *Store) Heads() []Head {
	var out []Head
	for _, src := range s.Sources() {
		s.mu.Lock()
		if t := s.sources[src]; t.seq > 0 {
			out = append(out, Head{src, t.seq, t.link, t.covered})
		}
		s.mu.Unlock()
	}
	return out
}
