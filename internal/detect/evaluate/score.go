package evaluate

import (
	"cmp"
	"slices"
	"time"
)

// Score is what came of a run.
type Score struct {
	StationDays float64
	Detectors   []Detector // by id
	// Missed are the labels that nothing expected of them found.
	Missed []Label
	// False are findings that nothing wrong explains.
	False                      []False
	FalseUrgent, FalseS3       int // S1 and S2; S3
	UrgentLabels, UrgentMissed int
	// Called are the urgent labels that people were called for, InHand those that
	// somebody had taken before they were urgent, Silent the rest.
	Called, InHand, Silent int
	Notices                int // people interrupted
	Calls                  []Notice
	// Failed are the drivers who failed at what was wrong before it was found,
	// of each label that drivers failed at; those that were missed count all.
	Failed []int
	// FailedAt are the same by scenario.
	FailedAt map[string][]int `json:"-"`
	// Remedies is what the machine did by itself; nil where stations do not obey.
	Remedies *Remedies `json:",omitempty"`
}

// Detector is how one detector did.
type Detector struct {
	ID string
	// True are findings about a label that expects it, Beside those that another
	// cause explains, False the rest.
	True, Beside, False int
	// Labels expect it, Found of them by it.
	Labels, Found int
	Delays        []time.Duration // of those that it found, sorted
}

// Precision is the share of findings that something wrong explains.
func (d *Detector) Precision() float64 { return share(d.True+d.Beside, d.True+d.Beside+d.False) }

// Recall is the share of labels that it found.
func (d *Detector) Recall() float64 { return share(d.Found, d.Labels) }

func share(n, of int) float64 {
	if of == 0 {
		return 1
	}
	return float64(n) / float64(of)
}

// False is a finding that was wrong, and the near miss that it fell for.
type False struct {
	Finding
	Fell *Label // nil: nothing at all was the matter
}

// Median is the middle of a sorted list, 0 of an empty one.
func Median[T cmp.Ordered](list []T) (m T) { return Quantile(list, 0.5) }

// Quantile is of a sorted list.
func Quantile[T cmp.Ordered](list []T, q float64) (m T) {
	if len(list) == 0 {
		return m
	}
	return list[min(len(list)-1, int(q*float64(len(list))))]
}

func urgent(severity string) bool { return severity == "S1" || severity == "S2" }

// Judge compares a run with its labels.
func Judge(r *Run) *Score {
	s := &Score{StationDays: r.StationDays, Notices: len(r.Notices)}
	by := make(map[string]*Detector)
	of := func(id string) *Detector {
		if by[id] == nil {
			by[id] = &Detector{ID: id}
		}
		return by[id]
	}
	found := make([]time.Time, len(r.Labels)) // by any that it expects
	for i := range r.Labels {
		l := &r.Labels[i]
		if l.NearMiss {
			continue
		}
		for _, id := range l.Detectors {
			d := of(id)
			at := first(r, l, func(f *Finding) bool { return f.Detector == id })
			if len(l.Detectors) == 1 || !at.IsZero() { // of several, any will do
				d.Labels++
			}
			if at.IsZero() {
				continue
			}
			d.Found++
			d.Delays = append(d.Delays, max(0, at.Sub(l.From)))
			if found[i].IsZero() || at.Before(found[i]) {
				found[i] = at
			}
		}
		if urgent(l.Severity) {
			s.UrgentLabels++
			switch {
			case r.heard(l, r.Notices):
				s.Called++
			case r.heard(l, r.Taken):
				s.InHand++
			default:
				s.Silent++
			}
		}
		if found[i].IsZero() {
			s.Missed = append(s.Missed, *l)
			if urgent(l.Severity) {
				s.UrgentMissed++
			}
			if len(l.Detectors) > 1 {
				of(l.Detectors[0]).Labels++
			}
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Update && !urgent(f.Severity) { // it was judged when it was raised
			continue
		}
		d := of(f.Detector)
		switch verdict, fell := r.verdict(f); verdict {
		case right:
			d.True++
		case beside:
			d.Beside++
		default:
			d.False++
			s.False = append(s.False, False{*f, fell})
			switch {
			case urgent(f.Severity):
				s.FalseUrgent++
			case f.Severity == "S3":
				s.FalseS3++
			}
		}
	}
	for i := range r.Labels {
		l := &r.Labels[i]
		found[i] = first(r, l, func(f *Finding) bool { return f.Severity != "S4" && l.explains(f.Detector) })
	}
	s.Failed, s.FailedAt = r.failed(found)
	s.Calls = r.calls()
	if len(r.Orders) > 0 || slices.ContainsFunc(r.Labels, func(l Label) bool { return l.Restart }) {
		s.Remedies = r.remedies(s.Calls)
	}
	for _, d := range by {
		slices.Sort(d.Delays)
		s.Detectors = append(s.Detectors, *d)
	}
	slices.SortFunc(s.Detectors, func(a, b Detector) int { return cmp.Compare(a.ID, b.ID) })
	return s
}

// Add takes another run into the score.
func (s *Score) Add(o *Score) {
	s.StationDays += o.StationDays
	s.Missed, s.False = append(s.Missed, o.Missed...), append(s.False, o.False...)
	s.FalseUrgent += o.FalseUrgent
	s.FalseS3 += o.FalseS3
	s.UrgentLabels += o.UrgentLabels
	s.UrgentMissed += o.UrgentMissed
	s.Called += o.Called
	s.InHand += o.InHand
	s.Silent += o.Silent
	s.Notices += o.Notices
	s.Calls = append(s.Calls, o.Calls...)
	s.Failed = append(s.Failed, o.Failed...)
	if s.FailedAt == nil {
		s.FailedAt = make(map[string][]int)
	}
	for name, counts := range o.FailedAt {
		s.FailedAt[name] = append(s.FailedAt[name], counts...)
		slices.Sort(s.FailedAt[name])
	}
	if o.Remedies != nil {
		if s.Remedies == nil {
			s.Remedies = new(Remedies)
		}
		s.Remedies.add(o.Remedies)
	}
	slices.Sort(s.Failed)
	for _, d := range o.Detectors {
		i, ok := slices.BinarySearchFunc(s.Detectors, d, func(a, b Detector) int { return cmp.Compare(a.ID, b.ID) })
		if !ok {
			s.Detectors = slices.Insert(s.Detectors, i, Detector{ID: d.ID})
		}
		t := &s.Detectors[i]
		t.True += d.True
		t.Beside += d.Beside
		t.False += d.False
		t.Labels += d.Labels
		t.Found += d.Found
		t.Delays = append(t.Delays, d.Delays...)
		slices.Sort(t.Delays)
	}
}

// Per1000 is a count per 1,000 station-days.
func (s *Score) Per1000(n int) float64 {
	if s.StationDays == 0 {
		return 0
	}
	return float64(n) * 1000 / s.StationDays
}

// calls says what each call was about, and whether it was the first about that.
func (r *Run) calls() []Notice {
	out := slices.Clone(r.Notices)
	called := make([]bool, len(r.Labels))
	for i := range out {
		n := &out[i]
		best := -1
		for j := range r.Labels {
			l := &r.Labels[j]
			if n.At.Before(l.From) || n.At.After(l.To.Add(max(l.Tail, callTail))) || !l.about(n.Subject, n.Shared, r.Site) {
				continue
			}
			if best < 0 || r.Labels[best].NearMiss && !l.NearMiss || urgent(l.Severity) && !urgent(r.Labels[best].Severity) {
				best = j
			}
		}
		if best >= 0 {
			n.Label, n.Again = r.Labels[best].Scenario, called[best]
			called[best] = true
		}
	}
	return out
}

// heard reports a notice about a label.
func (r *Run) heard(l *Label, list []Notice) bool {
	return slices.ContainsFunc(list, func(n Notice) bool {
		return !n.At.Before(l.From) && !n.At.After(l.To.Add(max(l.Tail, callTail))) && l.about(n.Subject, n.Shared, r.Site)
	})
}

// callTail is how long after its cause is over somebody may still be called
// about what is not proven well.
const callTail = 24 * time.Hour

type verdict uint8

const (
	mistaken verdict = iota
	beside
	right
)

func (r *Run) verdict(f *Finding) (v verdict, fell *Label) {
	for i := range r.Labels {
		l := &r.Labels[i]
		if !l.during(f.At) || !l.about(f.Subject, f.Shared, r.Site) {
			continue
		}
		switch {
		case !l.NearMiss && l.expects(f.Detector):
			return right, nil
		case l.explains(f.Detector), l.NearMiss && f.Severity == "S4": // to know is not to fall for it
			v = beside
		case l.NearMiss:
			fell = l
		}
	}
	return v, fell
}

func first(r *Run, l *Label, want func(*Finding) bool) (at time.Time) {
	for i := range r.Findings {
		f := &r.Findings[i]
		if want(f) && l.during(f.At) && l.about(f.Subject, f.Shared, r.Site) && (at.IsZero() || f.At.Before(at)) {
			at = f.At
		}
	}
	return at
}

// failed counts for each label that drivers failed at how many did before it
// was found.
func (r *Run) failed(found []time.Time) (counts []int, at map[string][]int) {
	at = make(map[string][]int)
	for i := range r.Labels {
		l := &r.Labels[i]
		if l.NearMiss {
			continue
		}
		before, all := 0, 0
		for _, h := range r.Harmed {
			if h.At.Before(l.From) || h.At.After(l.To) || !l.touches(h) {
				continue
			}
			all++
			if found[i].IsZero() || !h.At.After(found[i]) {
				before++
			}
		}
		if all > 0 {
			counts = append(counts, before)
			at[l.Scenario] = append(at[l.Scenario], before)
		}
	}
	slices.Sort(counts)
	return counts, at
}

func (l *Label) touches(h Harm) bool {
	for _, x := range l.Subjects {
		if x.ID == h.Station && (x.EVSE == 0 || x.EVSE == h.EVSE) {
			return true
		}
	}
	return false
}
