package provision

import (
	"slices"
	"strconv"
	"time"
)

// Seen is what a station measured in one session since its settings were set.
type Seen struct {
	From  time.Time `json:"from,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	Times int       `json:"times,omitempty"` // that it measured
	Gaps  []float64 `json:"gaps,omitempty"`  // seconds between them
	Names []string  `json:"names,omitempty"`
}

const (
	seenGaps  = 9
	seenNames = 40
	// enough measurements of one session to say that something is not among them.
	enough = 4
)

// Add counts what was measured at a moment.
func (s *Seen) Add(at time.Time, names []string) {
	for _, n := range names {
		if len(s.Names) < seenNames && !slices.Contains(s.Names, n) {
			s.Names = append(s.Names, n)
		}
	}
	if s.Times == 0 {
		s.From = at
	}
	if !s.Last.IsZero() && !at.After(s.Last) {
		return // another port's, or the same again
	}
	if !s.Last.IsZero() {
		s.Gaps = append(s.Gaps, at.Sub(s.Last).Seconds())
		if len(s.Gaps) > seenGaps {
			s.Gaps = s.Gaps[1:]
		}
	}
	s.Last = at
	s.Times++
}

// Verify lets what was measured decide about settings that show in it. It reports
// whether anything is known better than before.
func Verify(list []Verdict, s *Seen, dc bool) (changed bool) {
	for i := range list {
		v := &list[i]
		if v.State != AsWanted && v.State != Accepted && v.State != Partly {
			continue
		}
		switch v.Effect {
		case SampledInterval:
			changed = v.interval(s) || changed
		case SampledList:
			changed = v.list(s, dc) || changed
		case NoEffect:
		}
	}
	return changed
}

// interval holds when measurements come as often as wanted, some of them late.
func (v *Verdict) interval(s *Seen) bool {
	want, err := strconv.ParseFloat(v.Applied, 64)
	if err != nil || len(s.Gaps) < 2 {
		return false
	}
	if want == 0 {
		return false
	}
	sorted := slices.Sorted(slices.Values(s.Gaps))
	middle := sorted[len(sorted)/2]
	if middle > want*1.3+2 || middle < want*0.5-2 {
		said := strconv.FormatFloat(middle, 'f', 0, 64)
		changed := v.State != Accepted || v.Said != said
		v.State, v.Said = Accepted, said
		return changed
	}
	v.State, v.Said = Verified, ""
	return true
}

func (v *Verdict) list(s *Seen, dc bool) bool {
	want := Split(v.Applied)
	if !dc { // a car tells its charge only where it talks
		want = slices.DeleteFunc(want, func(m string) bool { return m == "SoC" })
	}
	unseen := missing(want, s.Names)
	if len(unseen) == 0 && len(s.Names) > 0 {
		v.State, v.Unseen = Verified, nil
		return true
	}
	if s.Times < enough || slices.Equal(unseen, v.Unseen) && v.State == Accepted {
		return false
	}
	v.State, v.Unseen = Accepted, unseen
	return true
}
