package rule

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// Bounds of what rules make us keep, and of our patience with one that fails.
const (
	maxStates    = 20_000 // subjects at which one rule waits or holds
	maxItems     = 100    // of one event of components
	maxFailures  = 20     // evaluations in a row
	maxOvercosts = 3
	overcostIn   = time.Hour
)

// Engine runs the rules that are decided. It is fed the events that package
// detect is fed, after it, and reads its view.
type Engine struct {
	language *Language
	rules    map[string]*active
	byKind   map[event.Kind][]*active // each by id
	alarms   alarms
	seq      uint64
	now      time.Time
	compact  int                 // alarms are swept above that many
	dropped  map[string]struct{} // rows of a checkpoint that are no more
	broken   bool                // a rule of a checkpoint cannot be used any more
	out      []detect.Finding
}

// active is a rule at work.
type active struct {
	Rule
	compiled
	facts  []*field
	sites  map[string]struct{}
	models map[string]struct{}
	states map[event.Subject]*state

	off       string // why it was switched off; empty: it was not
	broken    string // why it is about to be
	open      int    // conditions
	offAt     time.Time
	failures  int // in a row
	overcosts int // within overcostIn of each other
	overAt    time.Time
	asked     uint64
	fired     uint64
	firedAt   time.Time
}

// New returns an engine without rules.
func New(l *Language) *Engine {
	return &Engine{language: l, rules: make(map[string]*active), byKind: make(map[event.Kind][]*active), dropped: make(map[string]struct{})}
}

// Seq is the sequence of the last event applied.
func (x *Engine) Seq() uint64 { return x.seq }

// Now is the time the engine has come to.
func (x *Engine) Now() time.Time { return x.now }

// Apply folds one event after the view has taken it in, with the tries to charge
// that it ended just now (detect.Engine.Tried), and returns what follows. Timers due before it have to be fired
// first.
func (x *Engine) Apply(n *detect.Network, e *event.Event, tries []attempt.Attempt) []detect.Finding {
	x.out = x.out[:0]
	x.seq, x.now = e.Seq, later(x.now, e.RecordedAt)
	if x.broken {
		x.breakOff()
	}
	switch b := e.Body.(type) {
	case *event.Policy:
		if b.Type == PolicyType {
			x.decide(b.ID, b.Value)
		}
		return x.out
	case *event.ServerStarted:
		x.restarted(n, e, b)
		return x.out
	}
	if len(x.byKind) == 0 || e.Subject.Type != event.StationSubject {
		return x.out
	}
	st := n.Station(e.Subject.ID)
	if st == nil || !st.Accepted {
		switch e.Body.(type) {
		case *event.StationRemoved, *event.StationConfigured:
			x.forgetStation(e.Subject.ID, "removed", x.sorted()...)
		}
		return x.out
	}
	switch e.Body.(type) {
	case *event.StationConfigured, *event.Boot:
		x.rescope(st)
	}
	sc := scene{n: n, now: x.now, e: e, st: st, site: st.SiteID}
	if st.Tells(e) {
		for _, r := range x.byKind[e.Body.Kind()] {
			x.follow(r, &sc)
		}
	}
	x.tried(&sc, tries)
	return x.out
}

// Tried folds tries that ended as time passed, without an event.
func (x *Engine) Tried(n *detect.Network, station string, now time.Time, tries []attempt.Attempt) []detect.Finding {
	x.out = x.out[:0]
	x.now = later(x.now, now)
	if st := n.Station(station); st != nil && st.Accepted {
		x.tried(&scene{n: n, now: x.now, st: st, site: st.SiteID}, tries)
	}
	return x.out
}

func (x *Engine) tried(sc *scene, tries []attempt.Attempt) {
	for i := range tries {
		sc.try = &tries[i]
		for _, r := range x.byKind[KindAttempt] {
			x.visit(r, sc, tries[i].EVSE)
		}
	}
}

// follow evaluates a rule after an event.
func (x *Engine) follow(r *active, sc *scene) {
	b, ok := sc.e.Body.(*event.Component)
	if !ok {
		x.visit(r, sc, sc.e.Subject.EVSE)
		return
	}
	for i := range min(len(b.Items), maxItems) {
		sc.item = &b.Items[i]
		x.visit(r, sc, cmp.Or(sc.item.EVSE, sc.e.Subject.EVSE))
	}
	sc.item = nil
}

// visit evaluates a rule at what it is about: an event that names no port is
// about each of the station's ports.
func (x *Engine) visit(r *active, sc *scene, evse int) {
	if !r.wants(sc.st) {
		return
	}
	sc.port = nil
	if evse > 0 {
		sc.port = sc.st.Port(evse)
	}
	switch r.By {
	case ByStation:
		x.consider(r, sc, event.Station(sc.st.ID))
	case BySite:
		if sc.site != "" {
			x.consider(r, sc, event.Subject{Type: event.SiteSubject, ID: sc.site})
		}
	default:
		if evse > 0 {
			if sc.port != nil {
				x.consider(r, sc, event.Port(sc.st.ID, evse, 0))
			}
			return
		}
		for i := range sc.st.Ports {
			sc.port = &sc.st.Ports[i]
			x.consider(r, sc, event.Port(sc.st.ID, sc.port.EVSE, 0))
		}
		sc.port = nil
	}
}

// wants reports whether a station is in the rule's scope.
func (r *active) wants(st *detect.Station) bool {
	if r.off != "" || r.broken != "" {
		return false
	}
	if r.sites != nil {
		if _, ok := r.sites[st.SiteID]; !ok {
			return false
		}
	}
	if r.models != nil {
		if _, ok := r.models[st.Vendor+"/"+st.Model]; !ok {
			return false
		}
	}
	return true
}

// restarted stretches every wait by the time in which nothing was observed.
// Rules that follow our starts are asked about every station.
func (x *Engine) restarted(n *detect.Network, e *event.Event, b *event.ServerStarted) {
	if away := e.RecordedAt.Sub(b.LastAlive); !b.LastAlive.IsZero() && away > 0 {
		for _, r := range x.sorted() {
			for _, subject := range r.subjects() {
				s := r.states[subject]
				s.stretch(away)
				x.queue(r.ID, subject, s)
			}
		}
	}
	follow := x.byKind[event.KindServerStarted]
	if len(follow) == 0 {
		return
	}
	var all []*detect.Station
	for st := range n.Stations() {
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b *detect.Station) int { return strings.Compare(a.ID, b.ID) })
	for _, st := range all {
		sc := scene{n: n, now: x.now, e: e, st: st, site: st.SiteID}
		for _, r := range follow {
			x.visit(r, &sc, 0)
		}
	}
}

// decide takes in a rule, a change of one, or its end.
func (x *Engine) decide(id string, value json.RawMessage) {
	was := x.rules[id]
	if len(value) == 0 {
		if was != nil {
			x.retire(was, "ruleDeleted")
			delete(x.rules, id)
			x.index()
		}
		return
	}
	var r Rule
	if err := json.Unmarshal(value, &r); err != nil {
		r = Rule{Name: id, Enabled: true} // which is at fault, and says so
	}
	r.ID = id
	if was != nil && was.off == "" && was.same(&r) {
		x.rename(was, r)
		return
	}
	if was != nil {
		x.retire(was, "ruleChanged")
	}
	if was == nil && len(x.rules) >= MaxRules {
		return
	}
	x.rules[id] = x.activate(r)
	x.index()
	if now := x.rules[id]; now.off != "" {
		x.tellOff(now)
	}
}

func (x *Engine) activate(r Rule) *active {
	a := &active{Rule: r, states: make(map[event.Subject]*state)}
	set := func(list []string) map[string]struct{} {
		if len(list) == 0 {
			return nil
		}
		out := make(map[string]struct{}, len(list))
		for _, text := range list {
			out[text] = struct{}{}
		}
		return out
	}
	a.sites, a.models = set(r.Sites), set(r.Models)
	a.carry(x.language)
	if !r.Enabled {
		return a
	}
	var faults []Fault
	if a.compiled, faults = x.language.compile(r); len(faults) > 0 {
		a.off, a.offAt = "it cannot be used: "+faults[0].Field+" "+faults[0].Text, x.now
	}
	return a
}

// carry looks up the values that stand in findings.
func (a *active) carry(l *Language) {
	a.facts = nil
	for _, path := range a.Facts {
		object, name, _ := strings.Cut(path, ".")
		if f := l.find(object, name); f != nil {
			a.facts = append(a.facts, f)
		}
	}
}

// rename takes in words and severity, which change nothing about what holds.
func (x *Engine) rename(a *active, r Rule) {
	worse := a.Severity != r.Severity
	a.Rule = r
	a.carry(x.language)
	if !worse {
		return
	}
	for _, subject := range a.subjects() {
		if s := a.states[subject]; s.Open {
			s.dirty = true
			x.say(a, subject, s, event.FindingUpdated, s.Facts)
		}
	}
}

// retire ends everything that a rule holds.
func (x *Engine) retire(a *active, why string) {
	if a.off != "" {
		x.out = append(x.out, detect.Finding{Subject: event.Self(), At: x.now, Cause: x.seq, Finding: event.Finding{
			Code: a.Code(), Detector: a.Code(), Severity: event.S3, State: event.FindingCleared, Since: a.offAt,
			Facts: []event.Fact{{Name: why}},
		}})
	}
	x.empty(a, why)
}

func (x *Engine) empty(a *active, why string) {
	for _, subject := range a.subjects() {
		x.drop(a, subject, why)
	}
}

// index sorts the rules that run by the kinds they follow.
func (x *Engine) index() {
	clear(x.byKind)
	for _, r := range x.sorted() {
		if !r.Enabled || r.off != "" || r.broken != "" {
			continue
		}
		for _, k := range r.On {
			x.byKind[k] = append(x.byKind[k], r)
		}
	}
}

func (x *Engine) sorted() []*active {
	return slices.SortedFunc(maps.Values(x.rules), func(a, b *active) int { return strings.Compare(a.ID, b.ID) })
}

// subjects of a rule, in the one order in which they are gone through.
func (a *active) subjects() []event.Subject {
	return slices.SortedFunc(maps.Keys(a.states), bySubject)
}

func bySubject(a, b event.Subject) int {
	return cmp.Or(strings.Compare(string(a.Type), string(b.Type)), strings.Compare(a.ID, b.ID), cmp.Compare(a.EVSE, b.EVSE))
}

// forgetStation ends what holds at a station that leaves the network.
func (x *Engine) forgetStation(id, why string, among ...*active) {
	for _, r := range among {
		for _, subject := range r.subjects() {
			if subject.Type == event.StationSubject && subject.ID == id {
				x.drop(r, subject, why)
			}
		}
	}
}

// rescope ends what holds at a station that a rule is about no more.
func (x *Engine) rescope(st *detect.Station) {
	for _, r := range x.sorted() {
		if (r.sites == nil && r.models == nil) || r.wants(st) {
			continue
		}
		x.forgetStation(st.ID, "ruleScope", r)
	}
}

// breakOff switches off the rules of a checkpoint that cannot be used any more.
func (x *Engine) breakOff() {
	x.broken = false
	for _, r := range x.sorted() {
		if why := r.broken; why != "" {
			r.broken = ""
			x.switchOff(r, why)
		}
	}
}

// fails notes that an evaluation went wrong; a rule that does so again and again
// is switched off.
func (x *Engine) fails(r *active, err error) {
	r.failures++
	if errors.Is(err, errCost) {
		if x.now.Sub(r.overAt) > overcostIn {
			r.overcosts = 0
		}
		r.overcosts, r.overAt = r.overcosts+1, x.now
	}
	if r.failures < maxFailures && r.overcosts < maxOvercosts {
		return
	}
	x.switchOff(r, explain(err.Error()))
}

func (x *Engine) switchOff(r *active, why string) {
	r.off, r.offAt = why, x.now
	x.empty(r, "ruleOff")
	x.index()
	x.tellOff(r)
}

func (x *Engine) tellOff(r *active) {
	x.out = append(x.out, detect.Finding{Subject: event.Self(), At: x.now, Cause: x.seq, Finding: event.Finding{
		Code: r.Code(), Detector: r.Code(), Severity: event.S3, State: event.FindingRaised, Since: r.offAt,
		Text: "Rule switched off: " + r.Name, Evidence: r.off, Facts: []event.Fact{{Name: "rule", Text: r.Name}, {Name: "reason", Text: r.off}},
	}})
}

// Elapse says that time has come to t without an event.
func (x *Engine) Elapse(t time.Time) { x.now = later(x.now, t) }

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Status is how a rule does.
type Status struct {
	ID      string
	Off     string // why it was switched off
	OffAt   time.Time
	Open    int    // conditions
	Asked   uint64 // evaluations since the start
	Fired   uint64 // conditions raised since the start
	FiredAt time.Time
}

// Statuses tells of every rule, by id.
func (x *Engine) Statuses() []Status {
	out := make([]Status, 0, len(x.rules))
	for _, r := range x.sorted() {
		out = append(out, Status{ID: r.ID, Off: r.off, OffAt: r.offAt, Open: r.open, Asked: r.asked, Fired: r.fired, FiredAt: r.firedAt})
	}
	return out
}
