package rule

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Version of the fold. A checkpoint of another version is not loaded.
const Version = 1

// Meta is what the engine keeps beside its states.
type Meta struct {
	Version int       `json:"version"`
	Seq     uint64    `json:"seq"`
	Now     time.Time `json:"now"`
	Rules   []saved   `json:"rules,omitempty"`
}

// saved is a rule and how it does.
type saved struct {
	Rule
	Off       string    `json:"off,omitempty"`
	OffAt     time.Time `json:"offAt,omitzero"`
	Failures  int       `json:"failures,omitempty"`
	Overcosts int       `json:"overcosts,omitempty"`
	OverAt    time.Time `json:"overAt,omitzero"`
}

func row(rule string, subject event.Subject) string { return rule + "|" + subject.String() }

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// Checkpoint returns the rules and calls each with the states that changed since
// the last one. A state that is gone has nil data.
func (x *Engine) Checkpoint(each func(key string, data []byte) error) (Meta, error) {
	m := Meta{Version: Version, Seq: x.seq, Now: x.now}
	for _, r := range x.sorted() {
		m.Rules = append(m.Rules, saved{Rule: r.Rule, Off: r.off, OffAt: r.offAt, Failures: r.failures, Overcosts: r.overcosts, OverAt: r.overAt})
		for subject, s := range r.states {
			if !s.dirty {
				continue
			}
			data, err := json.Marshal(s)
			if err != nil {
				return Meta{}, fmt.Errorf("encode where rule %s stands at %s: %w", r.ID, subject, err)
			}
			if err := each(row(r.ID, subject), data); err != nil {
				return Meta{}, err
			}
			s.dirty = false
		}
	}
	for key := range x.dropped {
		if err := each(key, nil); err != nil {
			return Meta{}, err
		}
		delete(x.dropped, key)
	}
	return m, nil
}

// Restore sets the engine to a checkpoint; Load adds its states.
func (x *Engine) Restore(m Meta) {
	x.seq, x.now = m.Seq, m.Now
	for _, in := range m.Rules {
		r := x.activate(in.Rule)
		if in.Off == "" {
			r.broken, r.off, r.offAt = r.off, "", time.Time{}
			x.broken = x.broken || r.broken != ""
		} else {
			r.off, r.offAt = in.Off, in.OffAt
		}
		r.failures, r.overcosts, r.overAt = in.Failures, in.Overcosts, in.OverAt
		x.rules[r.ID] = r
	}
	x.index()
}

// Load adds a state of a checkpoint. One of a rule that is no more is dropped.
func (x *Engine) Load(key string, data []byte) error {
	id, text, _ := strings.Cut(key, "|")
	subject, err := event.ParseSubject(text)
	if err != nil {
		return fmt.Errorf("read where a rule stands: %w", err)
	}
	s := &state{}
	if err := json.Unmarshal(data, s); err != nil {
		return fmt.Errorf("decode where rule %s stands at %s: %w", id, subject, err)
	}
	r := x.rules[id]
	if r == nil || r.off != "" {
		x.dropped[key] = struct{}{}
		return nil
	}
	r.states[subject] = s
	if s.Open {
		r.open++
	}
	x.queue(id, subject, s)
	return nil
}
