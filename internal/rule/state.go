package rule

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// state is where a rule stands at one subject. There is one only while it waits
// or holds.
type state struct {
	Open bool `json:"open,omitempty"`
	// Since is since when it has held; zero while it only counts.
	Since time.Time    `json:"since,omitzero"`
	Last  time.Time    `json:"last,omitzero"` // when it held last
	Hits  []time.Time  `json:"hits,omitempty"`
	Facts []event.Fact `json:"facts,omitempty"`
	Due   time.Time    `json:"due,omitzero"`
	// queued is the alarm that will come for it, at the latest by Due.
	queued time.Time
	dirty  bool
}

// stretch moves what a state waits for.
func (s *state) stretch(by time.Duration) {
	s.dirty = true
	s.Last = s.Last.Add(by)
	for i := range s.Hits {
		s.Hits[i] = s.Hits[i].Add(by)
	}
	if !s.Due.IsZero() {
		s.Due = s.Due.Add(by)
	}
}

// consider asks a rule about a subject and does what follows.
func (x *Engine) consider(r *active, sc *scene, subject event.Subject) {
	if r.off != "" {
		return
	}
	held, ok := x.ask(r, sc, false)
	if !ok {
		return
	}
	s := r.states[subject]
	if held == yes {
		x.holds(r, sc, subject, s)
		return
	}
	if s == nil {
		return
	}
	over := held == no
	if r.clear != nil {
		cleared, ok := x.ask(r, sc, true)
		if !ok {
			return
		}
		over = cleared == yes
		if over && len(s.Hits) > 0 { // what was counted counts no more
			s.Hits, s.dirty = nil, true
		}
	}
	switch {
	case s.Open && over:
		x.drop(r, subject, "")
	case !s.Open && r.Count == nil && held == no: // it has to hold all the while
		x.drop(r, subject, "")
	case !s.Open && r.Count != nil && len(s.Hits) == 0:
		x.drop(r, subject, "")
	}
}

// ask evaluates one of a rule's expressions; ok is false when it failed.
func (x *Engine) ask(r *active, sc *scene, clear bool) (a answer, ok bool) {
	r.asked++
	p := r.where
	if clear {
		p = r.clear
	}
	a, err := ask(p, sc)
	if err != nil {
		x.fails(r, err)
		return no, false
	}
	r.failures = 0
	return a, true
}

// holds notes that a condition holds now.
func (x *Engine) holds(r *active, sc *scene, subject event.Subject, s *state) {
	if s == nil {
		if len(r.states) >= maxStates {
			x.switchOff(r, "it holds in too many places at once")
			return
		}
		s = &state{}
		r.states[subject] = s
		delete(x.dropped, row(r.ID, subject))
	}
	s.Last, s.dirty = x.now, true
	switch {
	case s.Open:
	case r.Count != nil:
		first := x.now.Add(-time.Duration(r.Count.WithinSeconds) * time.Second)
		for len(s.Hits) > 0 && s.Hits[0].Before(first) {
			s.Hits = s.Hits[1:]
		}
		s.Hits = append(s.Hits, x.now)
		if len(s.Hits) >= r.Count.N {
			s.Since = s.Hits[0]
			s.Facts = append(r.carried(sc), detect.Value("count", float64(len(s.Hits)), ""))
			s.Hits = nil
			x.raise(r, subject, s)
		}
	case r.ForSeconds > 0:
		if s.Since.IsZero() {
			s.Since = x.now
		}
		s.Facts = r.carried(sc)
	default:
		s.Since, s.Facts = x.now, r.carried(sc)
		x.raise(r, subject, s)
	}
	x.arm(r, subject, s)
}

func (x *Engine) raise(r *active, subject event.Subject, s *state) {
	s.Open, s.dirty = true, true
	r.open++
	r.fired++
	r.firedAt = x.now
	x.say(r, subject, s, event.FindingRaised, s.Facts)
}

// drop ends what a rule has at a subject; why is empty when it is simply over.
func (x *Engine) drop(r *active, subject event.Subject, why string) {
	s := r.states[subject]
	if s == nil {
		return
	}
	delete(r.states, subject)
	x.dropped[row(r.ID, subject)] = struct{}{}
	if !s.Open {
		return
	}
	r.open--
	var facts []event.Fact
	if why != "" {
		facts = []event.Fact{{Name: why}}
	}
	x.say(r, subject, s, event.FindingCleared, facts)
}

func (x *Engine) say(r *active, subject event.Subject, s *state, as event.FindingState, facts []event.Fact) {
	f := event.Finding{Code: r.Code(), Detector: r.Code(), Severity: r.Severity, State: as, Since: s.Since, Facts: facts}
	if as != event.FindingCleared {
		f.Text, f.Evidence = r.Title, r.Where
	}
	x.out = append(x.out, detect.Finding{Subject: subject, At: x.now, Cause: x.seq, Finding: f})
}

// carried are the values that the rule wants to stand in its finding, and its
// labels.
func (r *active) carried(sc *scene) []event.Fact {
	out := []event.Fact{{Name: "rule", Text: r.Name}}
	for _, f := range r.facts {
		v, known := f.get(sc)
		if !known {
			continue
		}
		out = append(out, f.fact(v, sc))
	}
	for _, name := range sortedNames(r.Labels) {
		out = append(out, event.Fact{Name: "label." + name, Text: r.Labels[name]})
	}
	return out
}

func (f *field) fact(v any, sc *scene) event.Fact {
	out := event.Fact{Name: f.path(), Unit: f.unit}
	if f.of == "event" && sc.e != nil {
		out.Seq = sc.e.Seq
	}
	number := func(n float64) { out.Value = &n }
	switch v := v.(type) {
	case string:
		out.Text = v
	case float64:
		number(v)
	case int64:
		number(float64(v))
	case bool:
		out.Text = "false"
		if v {
			out.Text = "true"
		}
	case time.Time:
		out.At = v
	}
	return out
}

// ring does what a timer was set for.
func (x *Engine) ring(n *detect.Network, r *active, subject event.Subject, s *state) {
	switch {
	case s.Open:
		x.drop(r, subject, "quiet")
		return
	case r.Count != nil:
		x.drop(r, subject, "")
		return
	}
	// It has held so long as far as events told. What is known now has the last
	// word: the view may have changed by events that the rule does not follow.
	sc := scene{n: n, now: x.now}
	switch subject.Type {
	case event.SiteSubject:
		sc.site = subject.ID
	default:
		if sc.st = n.Station(subject.ID); sc.st != nil {
			sc.port, sc.site = sc.st.Port(subject.EVSE), sc.st.SiteID
		}
	}
	held, ok := x.ask(r, &sc, false)
	switch {
	case r.off != "":
	case ok && held == no:
		x.drop(r, subject, "")
	default:
		x.raise(r, subject, s)
		x.arm(r, subject, s)
	}
}
