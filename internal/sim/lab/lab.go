// Package lab makes labelled runs: many stations over many days in virtual
// time, with failures put in on purpose and a list of what they are.
//
// A run yields observed events as the journal holds them, one by one and in
// order, without a journal: bounded memory, no clock, no socket. The same
// options give the same events, byte for byte. Everything that is not labelled
// is ordinary life: short drops, a few reboots, cars that refuse, drivers who
// think better of it. So whatever a detector says about what no label covers
// is wrong.
package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/detect/evaluate"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/sim/retell"
)

// Options say what to run.
type Options struct {
	Seed     uint64
	Stations int           // default 240
	Days     int           // default 42
	Learning time.Duration // how long before anything goes wrong that needs a baseline; default 28 days
	Only     []string      // scenarios by name; empty: all that find a place
	// Once puts each scenario in one time; else as often as there is room, up to
	// four times.
	Once bool
	// Obey has stations carry out resets and changes of availability, not only be
	// asked how they are, and puts in failures that a restart ends.
	Obey bool
	// Quiet puts nothing in: ordinary life only.
	Quiet bool
	// Alone is who is on duty: nobody goes through what they are not called for.
	Alone bool
}

// Run is one labelled run.
type Run struct {
	Plan     sim.Plan
	Labels   []evaluate.Label
	From, To time.Time

	fleet   *sim.Fleet
	hearer  *retell.Hearer
	outages []sim.Outage
	desk    desk
	alone   bool
	orders  []sim.Order // what stations were told to do
	whys    []string    // and what asked for it
	err     error
}

const learning = 28 * 24 * time.Hour

// Story prepares the run of one scenario: one or two sites, as many days as it
// needs. In one of what a restart ends the stations obey.
func Story(name string, seed uint64, before time.Duration) (*Run, error) {
	s, err := Find(name)
	if err != nil {
		return nil, err
	}
	if before == 0 {
		before = learning
	}
	return New(Options{
		Seed: seed, Learning: before, Stations: perSite * len(kindsFor([]Scenario{s})), Only: []string{name},
		Obey: s.restart, Days: int((max(before, 3*day)+s.For+s.Tail)/day) + 2,
	})
}

// New prepares a run.
func New(o Options) (*Run, error) {
	if o.Stations == 0 {
		o.Stations = 240
	}
	if o.Days == 0 {
		o.Days = 42
	}
	if o.Learning == 0 {
		o.Learning = learning
	}
	var only []Scenario
	for _, name := range o.Only {
		s, err := Find(name)
		if err != nil {
			return nil, err
		}
		only = append(only, s)
	}
	r := &Run{alone: o.Alone, From: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	r.To = r.From.AddDate(0, 0, o.Days)
	r.Plan = plan(o.Seed, o.Stations, kindsFor(only))
	c := &cast{run: r, r: random(o.Seed), learning: o.Learning, once: o.Once, obey: o.Obey}
	if !o.Quiet {
		if err := c.place(only); err != nil {
			return nil, err
		}
	}
	var err error
	r.fleet, err = sim.New(sim.Options{
		Slice: slice(o.Obey), Plan: r.Plan, Scenario: life(), Seed: o.Seed, Start: r.To, History: r.To.Sub(r.From), Replay: true, Detail: true, Failures: c.failures,
	})
	if err != nil {
		return nil, fmt.Errorf("prepare a labelled run: %w", err)
	}
	r.hearer = hearer(&r.Plan)
	r.desk = newDesk(c)
	r.desk.obey = o.Obey
	return r, nil
}

// slice is how far stations live ahead of who reads: a command cannot come before
// what was told already.
func slice(obey bool) time.Duration {
	if obey {
		return 10 * time.Second
	}
	return 0 // as the simulator likes
}

// life is an ordinary day without anything to report.
func life() sim.Scenario {
	return sim.Scenario{
		Name: "labelled", About: "ordinary days: short drops, cars that refuse", Traffic: 1,
		DropsPerDay: 0.12, DropMin: 15 * time.Second, DropMax: 150 * time.Second, RebootsPerDay: 0.02, FailedStart: 0.03,
	}
}

func hearer(p *sim.Plan) *retell.Hearer {
	h := &retell.Hearer{
		Free: make(map[string]bool), Tokens: make(map[sim.Token]string), Known: make(map[sim.Token]*access.Credential), IntervalS: 300,
	}
	for i := range p.Sites {
		h.Free[p.Sites[i].ID] = p.Sites[i].FreeVend
	}
	for i, t := range slices.Concat(p.Tokens, p.Strangers) {
		id := fmt.Sprintf("t-%05d", i)
		h.Tokens[t] = id
		if i < len(p.Tokens) {
			h.Known[t] = &access.Credential{ID: "c" + id, TokenID: id, Status: access.Accepted}
		}
	}
	return h
}

// StationDays is the size of the run.
func (r *Run) StationDays() float64 {
	return float64(len(r.Plan.Stations)) * r.To.Sub(r.From).Hours() / 24
}

// Events yields what the journal would hold. A run can be lived once; Err says
// whether it came to its end.
func (r *Run) Events(ctx context.Context) iter.Seq[*event.Event] {
	return func(yield func(*event.Event) bool) {
		s := &scribe{yield: yield, desk: &r.desk}
		for _, e := range r.beginning() {
			if !s.write(e) {
				return
			}
		}
		outages := r.outages
		err := r.fleet.Relive(ctx, r.outages, func(told []sim.Told) error {
			for i := range told {
				t := &told[i]
				for len(outages) > 0 && !t.HeardAt.Before(outages[0].From) {
					o := outages[0]
					outages = outages[1:]
					if !s.write(ours(o.From, &event.ServerStopped{Reason: "maintenance"})) ||
						!s.write(ours(o.From.Add(o.For), &event.ServerStarted{Version: "lab", LastAlive: o.From})) {
						return errEnough
					}
				}
				if !s.write(r.hearer.Hear(t)) {
					return errEnough
				}
			}
			for _, a := range r.desk.orders {
				o := r.fleet.Order(a.Station, a.Action, json.RawMessage(a.Payload))
				r.orders, r.whys = append(r.orders, o), append(r.whys, a.Reason)
				r.desk.carriedOut(a.Key, o)
			}
			r.desk.orders = nil
			return nil
		})
		if err != nil && err != errEnough {
			r.err = err
		}
	}
}

// Err is why the events ended before their time.
func (r *Run) Err() error { return r.err }

var errEnough = fmt.Errorf("whoever reads has seen enough")

// Harmed are the drivers whom the failures kept from charging, once the events
// were read.
func (r *Run) Harmed() []evaluate.Harm {
	list := r.fleet.Harmed()
	out := make([]evaluate.Harm, len(list))
	for i, h := range list {
		out[i] = evaluate.Harm{Station: h.Station, EVSE: h.EVSE, At: h.At}
	}
	return out
}

// Orders are the commands that stations were given beside questions, in a run
// that obeys.
func (r *Run) Orders() []evaluate.Order {
	out := make([]evaluate.Order, len(r.orders))
	for i, o := range r.orders {
		out[i] = evaluate.Order{Station: o.Station, Action: o.Action, At: o.At, Cut: o.Cut, Taken: bytes.Contains(o.Answer, []byte(`"Accepted"`)), Why: r.whys[i]}
	}
	return out
}

// Healings are the failures that restarts ended.
func (r *Run) Healings() []evaluate.Healing {
	var out []evaluate.Healing
	for _, h := range r.fleet.Healings() {
		out = append(out, evaluate.Healing{Subject: event.Port(h.Station, h.EVSE, 0), At: h.At, Ordered: h.Ordered})
	}
	return out
}

// Site tells where a station stands.
func (r *Run) Site() func(station string) string {
	sites := make(map[string]string, len(r.Plan.Stations))
	for i := range r.Plan.Stations {
		sites[r.Plan.Stations[i].ID] = r.Plan.Stations[i].Site
	}
	return func(id string) string { return sites[id] }
}

// scribe stamps events as the journal's writer does.
type scribe struct {
	yield func(*event.Event) bool
	desk  *desk
	seq   uint64
	last  time.Time
}

// write writes an event, after what commands brought about before it.
func (s *scribe) write(e *event.Event) bool {
	for {
		first := s.desk.before(e.ReceivedAt)
		if first == nil {
			return s.stamp(e)
		}
		if !s.stamp(first) {
			return false
		}
	}
}

func (s *scribe) stamp(e *event.Event) bool {
	s.desk.hear(e)
	s.seq++
	e.Seq = s.seq
	e.RecordedAt = e.ReceivedAt
	if e.RecordedAt.Before(s.last) {
		e.RecordedAt = s.last
	}
	s.last = e.RecordedAt
	return s.yield(e)
}

func ours(at time.Time, body event.Body) *event.Event {
	return &event.Event{Subject: event.Self(), At: at, ReceivedAt: at, Origin: event.FromUs, Body: body}
}

// beginning is how the network is enrolled.
func (r *Run) beginning() []*event.Event {
	list := []*event.Event{ours(r.From, &event.ServerStarted{Version: "lab"})}
	if r.desk.obey {
		list = append(list, ours(r.From, &event.Policy{Type: "remedies", ID: "all", Value: json.RawMessage(`{"mode":"on"}`)}))
	}
	free := make(map[string]bool)
	for _, x := range r.Plan.Sites {
		free[x.ID] = x.FreeVend
	}
	for i := range r.Plan.Stations {
		x := &r.Plan.Stations[i]
		e := ours(r.From, &event.StationConfigured{
			SiteID: x.Site, Label: x.Label, Onboarding: event.OnboardingAccepted, Simulated: true, FreeVend: free[x.Site], Layout: layout(x),
		})
		e.Subject = event.Station(x.ID)
		list = append(list, e)
	}
	return list
}

func layout(x *sim.Spec) []event.EVSELayout {
	var out []event.EVSELayout
	plugs := 0
	for i, m := range x.Model.EVSEs {
		l := event.EVSELayout{EVSE: i + 1, RatedW: m.RatedW, Current: "AC"}
		if m.Phases == 0 {
			l.Current = "DC"
		}
		if x.Model.SharedW > 0 {
			l.Group, l.GroupW = "cabinet", x.Model.SharedW
		}
		for n, p := range m.Plugs {
			plugs++
			id := n + 1
			if x.Protocol() == "ocpp1.6" {
				id = plugs
			}
			l.Connectors = append(l.Connectors, event.ConnectorLayout{Connector: id, Type: string(p)})
		}
		out = append(out, l)
	}
	return out
}

// Names lists the scenarios.
func Names() []string {
	var names []string
	for _, s := range Scenarios() {
		names = append(names, s.Name)
	}
	return names
}

// Find looks a scenario up.
func Find(name string) (Scenario, error) {
	for _, s := range append(Scenarios(), hangs()...) {
		if s.Name == name {
			return s, nil
		}
	}
	return Scenario{}, fmt.Errorf("no scenario %q: want one of %s", name, strings.Join(Names(), ", "))
}
