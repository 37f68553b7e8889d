package rule

import (
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of what a trial tells.
const (
	maxFirings = 500
	slots      = 60
)

// Firing is one time that a rule would have fired.
type Firing struct {
	Subject   string       `json:"subject"`
	At        time.Time    `json:"at"`
	ClearedAt *time.Time   `json:"clearedAt" doc:"null: it still held at the end"`
	Facts     []event.Fact `json:"facts"`
}

// Verdict is what a trial found.
type Verdict struct {
	Fired    int      `json:"fired" doc:"how often it would have fired"`
	Subjects int      `json:"subjects" doc:"at how many places"`
	Open     int      `json:"open" doc:"how many still held at the end"`
	Firings  []Firing `json:"firings" doc:"the first 500"`
	Slots    []int    `json:"slots" doc:"firings in each sixtieth of the time that was asked for"`
	Off      string   `json:"off" doc:"why the rule would have been switched off; empty: it would not"`
	Asked    uint64   `json:"asked" doc:"evaluations"`
	Events   int      `json:"events" doc:"events that were read for the time covered"`
}

// Trial runs one rule over a past. Events before From only tell the view what
// there is.
type Trial struct {
	from, to time.Time
	view     *detect.Engine
	rules    *Engine
	rule     Rule
	begun    bool
	out      Verdict
	last     map[string]int // place of the newest firing, by subject
	places   map[string]struct{}
}

// Try prepares a trial. The detectors are asked only if the rule reads what they
// conclude.
func (l *Language) Try(r Rule, detectors []detect.Detector, from, to time.Time) (*Trial, []Fault) {
	r.Enabled = true
	if faults := l.Check(r); len(faults) > 0 {
		return nil, faults
	}
	if !strings.Contains(r.Where+r.ClearWhen, "conditions") && !slices.ContainsFunc(r.Facts, func(f string) bool { return strings.HasSuffix(f, "conditions") }) {
		detectors = nil
	}
	t := &Trial{
		from: from, to: to, view: detect.New(detectors), rules: New(l), rule: r,
		last: make(map[string]int), places: make(map[string]struct{}),
	}
	t.out.Firings, t.out.Slots = []Firing{}, make([]int, slots)
	return t, nil
}

// Measured reports whether a rule reads measurements.
func (r *Rule) Measured() bool {
	if slices.Contains(r.On, event.KindMeter) {
		return true
	}
	all := r.Where + " " + r.ClearWhen + " " + strings.Join(r.Facts, " ")
	for _, name := range []string{
		"values", "powerW", "offeredW", "currentA", "voltageV", "socPercent", "temperatureC", "energyWh", "peakW",
		"conditions",
	} {
		if strings.Contains(all, name) {
			return true
		}
	}
	return false
}

// Apply folds the next event.
func (t *Trial) Apply(e *event.Event) {
	if b, ok := e.Body.(*event.Policy); ok && b.Type == PolicyType {
		return // the one rule is tried
	}
	if !t.begun && !e.RecordedAt.Before(t.from) {
		t.begin()
	}
	t.advance(t.view.Until(e))
	t.view.Apply(e)
	if !t.begun {
		return
	}
	t.out.Events++
	_, tries := t.view.Tried()
	t.note(t.rules.Apply(&t.view.Network, e, tries))
}

func (t *Trial) begin() {
	t.begun = true
	t.view.Elapse(t.from)
	t.rules.now, t.rules.seq = t.from, t.view.Seq()
	t.rules.rules[t.rule.ID] = t.rules.activate(t.rule)
	t.rules.index()
}

func (t *Trial) advance(to time.Time) {
	for {
		first, viewing := t.view.Due()
		due, ruling := t.rules.Due()
		viewing, ruling = viewing && !first.After(to), ruling && !due.After(to)
		switch {
		case viewing && (!ruling || !first.After(due)):
			t.view.Fire()
			if station, tries := t.view.Tried(); t.begun && len(tries) > 0 {
				t.note(t.rules.Tried(&t.view.Network, station, t.view.Now(), tries))
			}
		case ruling:
			t.note(t.rules.Fire(&t.view.Network))
		default:
			t.view.Elapse(to)
			t.rules.Elapse(to)
			return
		}
	}
}

func (t *Trial) note(found []detect.Finding) {
	for i := range found {
		f := &found[i]
		if f.Subject.Type == event.ServerSubject { // it was switched off
			t.out.Off = f.Evidence
			continue
		}
		subject := f.Subject.String()
		switch f.State {
		case event.FindingRaised:
			t.out.Fired++
			t.out.Open++
			t.places[subject] = struct{}{}
			if span := t.to.Sub(t.from); span > 0 {
				at := int(int64(f.At.Sub(t.from)) * slots / int64(span))
				t.out.Slots[min(max(at, 0), slots-1)]++
			}
			if len(t.out.Firings) < maxFirings {
				t.last[subject] = len(t.out.Firings)
				t.out.Firings = append(t.out.Firings, Firing{Subject: subject, At: f.At.UTC(), Facts: slices.Clone(f.Facts)})
			}
		case event.FindingCleared:
			t.out.Open--
			if i, ok := t.last[subject]; ok {
				at := f.At.UTC()
				t.out.Firings[i].ClearedAt = &at
				delete(t.last, subject)
			}
		}
	}
}

// End says that the past ends at a time, and returns what was found.
func (t *Trial) End(at time.Time) Verdict {
	if !t.begun {
		t.begin()
	}
	t.advance(at)
	t.out.Subjects = len(t.places)
	if st := t.rules.Statuses(); len(st) == 1 {
		t.out.Asked = st[0].Asked
	}
	return t.out
}
