package backtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// ErrDetector is returned for what is no rule of security: others read more of each
// other than a short past shows.
var ErrDetector = errors.New("not a rule of security")

// Draft is what somebody thinks of deciding about a detector.
type Draft struct {
	detect.Threshold
	// Kept is what is decided about it now, in all scopes.
	Kept     []detect.Threshold
	From, To time.Time
}

// Bounds of what a back-test of a detector tells.
const (
	maxToldShown = 200
	maxTold      = 20_000
	toldSlots    = 60
)

// Told is one time that a detector would have said something.
type Told struct {
	Subject  string         `json:"subject"`
	SiteID   string         `json:"siteId"`
	At       time.Time      `json:"at"`
	Code     string         `json:"code"`
	Severity event.Severity `json:"severity"`
	Text     string         `json:"text"`
	TextDE   string         `json:"textDe"`
}

// Found is what a detector would have said in all.
type Found struct {
	Told       int                    `json:"told" doc:"how often it would have said something new"`
	BySeverity map[event.Severity]int `json:"bySeverity"`
	Slots      []int                  `json:"slots" doc:"of each sixtieth of the time that was asked for"`
	// All are those that count, the first maxTold.
	All []Told `json:"-"`
}

// Compared is what a detector would have said as it is decided now, and as it is drafted.
type Compared struct {
	Now, Then Found
	From, To  time.Time // covered
	Partial   []string  // why that is less than was asked for; empty: it is not
	Events    int
	Took      time.Duration
}

// watching is an engine that hears the past, and what it says.
type watching struct {
	x     *detect.Engine
	id    string
	from  time.Time
	to    time.Time
	found Found
}

func watch(list []detect.Detector, d *Draft, kept []detect.Threshold) (*watching, error) {
	w := &watching{x: detect.New(list), id: d.Detector, from: d.From, to: d.To, found: Found{BySeverity: make(map[event.Severity]int), Slots: make([]int, toldSlots)}}
	for i := range kept {
		value, err := json.Marshal(kept[i])
		if err != nil {
			return nil, fmt.Errorf("encode a threshold: %w", err)
		}
		w.x.Apply(&event.Event{Subject: event.Self(), Body: &event.Policy{Type: "threshold", ID: kept[i].ID(), Value: value}})
	}
	return w, nil
}

func (w *watching) hear(e *event.Event) {
	if b, ok := e.Body.(*event.Policy); ok && b.Type == "threshold" && decides(b, w.id) {
		return // what is decided now is asked, not what was then
	}
	until := w.x.Until(e)
	w.pass(until)
	w.take(w.x.Apply(e))
}

// pass fires what falls due up to a time.
func (w *watching) pass(until time.Time) {
	for due, ok := w.x.Due(); ok && !due.After(until); due, ok = w.x.Due() {
		w.take(w.x.Fire())
	}
	w.x.Asked() // nobody is asked about the past
}

// decides reports that a policy is one about a detector.
func decides(b *event.Policy, id string) bool {
	var t detect.Threshold
	return len(b.ID) > len(id) && b.ID[:len(id)+1] == id+"@" || json.Unmarshal(b.Value, &t) == nil && t.Detector == id
}

func (w *watching) take(list []detect.Finding) {
	for i := range list {
		f := &list[i]
		if f.Detector != w.id || f.State == event.FindingCleared || f.State == event.FindingUpdated || f.At.Before(w.from) || !f.At.Before(w.to) {
			continue
		}
		w.found.Told++
		w.found.BySeverity[f.Severity]++
		w.found.Slots[min(toldSlots-1, int(f.At.Sub(w.from)*toldSlots/w.to.Sub(w.from)))]++
		if len(w.found.All) < maxTold {
			told := Told{Subject: f.Subject.String(), At: f.At, Code: f.Code, Severity: f.Severity, Text: f.Text, TextDE: f.TextDE}
			if st := w.x.Network.At(f.Subject); st != nil {
				told.SiteID = st.SiteID
			}
			w.found.All = append(w.found.All, told)
		}
	}
}

// Shown are the first of what was said.
func (f *Found) Shown() []Told { return f.All[:min(len(f.All), maxToldShown)] }

// Detector says what a detector would have told of the time between two, as it is
// decided now and as it is drafted. That a site was on its guard is not counted.
func (r *Runner) Detector(ctx context.Context, d Draft) (Compared, error) {
	list := r.beside(d.Detector)
	if len(list) == 0 {
		return Compared{}, ErrDetector
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	default:
		return Compared{}, ErrBusy
	}
	begun := r.o.Now()
	out := Compared{Partial: []string{}}
	if d.To.After(begun) {
		d.To = begun
	}
	var without []event.Kind
	kind := event.KindMeter
	if !slices.ContainsFunc(list, func(x detect.Detector) bool { return slices.Contains(x.Kinds, event.KindMeter) }) {
		kind, without = event.KindStatus, []event.Kind{event.KindMeter}
	}
	if h := r.o.Journal.Horizon(kind); d.From.Before(h) {
		d.From, out.Partial = h, append(out.Partial, Retention)
	}
	if !d.From.Before(d.To) {
		d.From = d.To.Add(-time.Microsecond)
	}
	drafted := slices.DeleteFunc(slices.Clone(d.Kept), func(t detect.Threshold) bool { return t.Scope == d.Scope })
	if d.Off || d.Severity != "" || len(d.Values) > 0 {
		drafted = append(drafted, d.Threshold)
	}
	now, err := watch(list, &d, d.Kept)
	if err != nil {
		return Compared{}, err
	}
	then, err := watch(list, &d, drafted)
	if err != nil {
		return Compared{}, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, r.o.Limit, errLimit)
	defer cancel()
	var first time.Time
	reached, err := r.read(limited, both{now, then, &out.Events, d.From, &first}, d.From.Add(-warmUp), d.To, without, decided)
	switch {
	case ctx.Err() != nil:
		return Compared{}, context.Cause(ctx)
	case errors.Is(context.Cause(limited), errLimit):
		out.Partial = append(out.Partial, TimeLimit)
	case err != nil:
		return Compared{}, fmt.Errorf("read the past: %w", err)
	}
	if first.After(d.From) { // nothing was there before
		d.From = first
	}
	if reached.Before(d.From) {
		reached = d.From
	}
	now.pass(reached)
	then.pass(reached)
	out.Now, out.Then, out.From, out.To, out.Took = now.found, then.found, d.From, reached, r.o.Now().Sub(begun)
	return out, nil
}

// beside are a detector that names its sources, and those whose memory it reads.
func (r *Runner) beside(id string) (out []detect.Detector) {
	i := slices.IndexFunc(r.o.Detectors, func(d detect.Detector) bool { return d.ID == id && d.On != nil && len(d.Needs)+len(d.Any) > 0 })
	if i < 0 {
		return nil
	}
	for _, d := range r.o.Detectors {
		if d.ID == id || slices.Contains(r.o.Detectors[i].Reads, d.ID) {
			out = append(out, d)
		}
	}
	return out
}

// both are two engines that hear the same.
type both struct {
	now, then *watching
	events    *int
	from      time.Time
	first     *time.Time // of what was recorded since the warm-up began
}

// Apply tells both of an event.
func (b both) Apply(e *event.Event) {
	if !e.RecordedAt.Before(b.from) {
		*b.events++
	}
	if b.first.IsZero() && !e.RecordedAt.Before(b.from.Add(-warmUp)) {
		*b.first = e.RecordedAt
	}
	b.now.hear(e)
	b.then.hear(e)
}

// decided are the kinds of what was decided before and still holds.
func decided() []event.Kind {
	return []event.Kind{
		event.KindConfigured, event.KindRemoved, event.KindPolicy, event.KindCameraConfigured, event.KindCameraRemoved, event.KindControllerConfigured,
		event.KindControllerRemoved, event.KindDoorConfigured, event.KindDoorRemoved, event.KindArming,
	}
}
