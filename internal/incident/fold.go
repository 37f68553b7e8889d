package incident

import (
	"container/heap"
	"maps"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident/procedure"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// Fold makes incidents of findings and of what people and remedies do. One
// goroutine owns it and feeds it every event in the journal's order; the timers
// due before an event have to be fired first.
type Fold struct {
	words *detect.Words
	// Zone finds a time zone by its IANA name for calendars; without it only UTC
	// is known.
	Zone func(name string) (*time.Location, error)

	now   time.Time
	seq   uint64
	count uint64 // incidents so far

	entries map[string]*entry    // open, and closed ones that can come back
	slots   map[slot]string      // to incident
	where   map[condition]string // raised conditions to incident
	ports   map[string][]string  // incidents of a station, in order of opening
	groups  groups
	mutes   map[string]*Mute // silences and windows, by type/id
	sla     map[string]SLA   // by site; "" is the default of the house
	// Which version of each list of steps holds; shipped are those where nobody
	// decided.
	procedures map[string]int
	shipped    map[procedure.Class]procedure.List
	alarms     alarms
	timers     map[string]time.Time // the fold's own
	n          *detect.Network      // during a step

	dirty   map[string]struct{} // since the last checkpoint
	touched map[string]struct{} // in this step
	fx      Effects
}

// New returns a fold that knows no incident.
func New() *Fold {
	return &Fold{
		words:   detect.German(),
		entries: make(map[string]*entry), slots: make(map[slot]string), where: make(map[condition]string),
		ports: make(map[string][]string), groups: newGroups(), mutes: make(map[string]*Mute), sla: make(map[string]SLA),
		procedures: make(map[string]int), shipped: procedure.Shipped(),
		timers: make(map[string]time.Time), dirty: make(map[string]struct{}), touched: make(map[string]struct{}),
	}
}

// Apply folds one event with what the detectors found in it.
func (f *Fold) Apply(n *detect.Network, e *event.Event, found []detect.Finding) Effects {
	f.begin(n, e.RecordedAt, e.Seq)
	switch b := e.Body.(type) {
	case *event.Finding:
		// What detectors conclude comes in found; this is the endpoint or the fleet.
		if b.Detector == "" && !e.Late() {
			f.find(&detect.Finding{Subject: e.Subject, At: f.now, Cause: e.Seq, Finding: *b})
		}
	case *event.ServerStarted:
		f.restarted(e, b)
	case *event.DriverReport:
		f.reported(e, b)
	case *event.Policy:
		f.policy(b)
	case *event.IncidentAction:
		f.act(e.Subject.ID, b)
	case *event.OutputSwitch:
		f.switched(b)
	case *event.OutputRequest:
		f.asked(b)
	case *event.Status, *event.Component, *event.Connected:
		f.heard(e.Subject.ID)
	}
	for i := range found {
		f.find(&found[i])
	}
	// A charge may have ended a fault; only then it can prove so.
	switch b := e.Body.(type) {
	case *event.Transaction:
		if b.Stage == event.TransactionEnded && !e.Late() {
			f.charged(e.Subject.ID, b.TransactionID, e.RecordedAt)
		}
	case *event.SessionInferred:
		f.charged(e.Subject.ID, b.TransactionID, e.RecordedAt)
	case *event.StationRemoved:
		f.leave(e.Subject.ID)
	}
	return f.end()
}

// Found folds what a timer of the detectors found.
func (f *Fold) Found(n *detect.Network, at time.Time, cause uint64, found []detect.Finding) Effects {
	f.begin(n, at, cause)
	for i := range found {
		f.find(&found[i])
	}
	return f.end()
}

// Tried counts drivers who failed at what is broken: tries to charge at a station
// that ended, and did not fail by the driver or the car.
func (f *Fold) Tried(n *detect.Network, station string, at time.Time, cause uint64, tries []attempt.Attempt) Effects {
	f.begin(n, at, cause)
	for i := range tries {
		a := &tries[i]
		if a.Late || a.Again || !a.Failed && a.CutShort == attempt.None || a.Side == attempt.Driver || a.Side == attempt.Vehicle {
			continue
		}
		for _, id := range f.ports[station] {
			if en := f.entries[id]; en.open() && en.RepairedAt == nil && (en.EVSE == 0 || en.EVSE == a.EVSE) {
				f.hurt(en, a.Token)
			}
		}
	}
	return f.end()
}

func (f *Fold) hurt(en *entry, token string) {
	if token != "" {
		if slices.Contains(en.Hurt, token) {
			return
		}
		en.Hurt = keep(en.Hurt, maxSubjects, token)
	}
	drivers := 1
	if en.DriversFailed != nil {
		drivers += *en.DriversFailed
	}
	en.DriversFailed = &drivers
	f.nudge(en)
}

// Due returns when the next timer of incidents falls due.
func (f *Fold) Due() (time.Time, bool) {
	a, ok := f.head()
	return a.due, ok
}

// Fire fires the earliest timer, which Due told of.
func (f *Fold) Fire(n *detect.Network, cause uint64) Effects {
	a, ok := f.head()
	if !ok {
		return Effects{}
	}
	heap.Pop(&f.alarms)
	f.begin(n, a.due, cause)
	if a.incident == "" {
		delete(f.timers, a.name)
		f.fireOwn(a.name)
		return f.end()
	}
	en := f.entries[a.incident]
	f.stop(en, a.name)
	f.fire(en, a.name)
	return f.end()
}

// Now is the time that incidents have come to.
func (f *Fold) Now() time.Time { return f.now }

// Get returns an incident that is open or can still come back.
func (f *Fold) Get(id string) (*Incident, bool) {
	en := f.entries[id]
	if en == nil {
		return nil, false
	}
	return en.clone(), true
}

// Open returns the open incidents in the order of their ids.
func (f *Fold) Open() []*Incident {
	var out []*Incident
	for _, id := range slices.Sorted(maps.Keys(f.entries)) {
		if en := f.entries[id]; en.open() {
			out = append(out, en.clone())
		}
	}
	return out
}

// Len is the number of incidents that the fold holds.
func (f *Fold) Len() int { return len(f.entries) }

func (f *Fold) begin(n *detect.Network, at time.Time, cause uint64) {
	f.n, f.fx = n, Effects{}
	if at.After(f.now) {
		f.now = at
	}
	f.seq = cause
}

// end gathers what the step changed.
func (f *Fold) end() Effects {
	if len(f.touched) == 0 {
		f.n = nil
		return f.fx
	}
	for _, id := range slices.Sorted(maps.Keys(f.touched)) {
		if en := f.entries[id]; en != nil && en.Family == Common {
			f.describe(en)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.touched)) {
		en := f.entries[id]
		if en == nil {
			continue
		}
		en.UpdatedAt, en.Shown = f.now, f.now
		f.stop(en, "show")
		f.fx.Changed = append(f.fx.Changed, en.clone())
	}
	clear(f.touched)
	f.n = nil
	return f.fx
}

// touch says that an incident changed and is to be shown.
func (f *Fold) touch(en *entry) {
	f.settle(en)
	f.touched[en.ID] = struct{}{}
	f.dirty[en.ID] = struct{}{}
}

// nudge is touch for what changes often: it is shown once a second.
func (f *Fold) nudge(en *entry) {
	f.settle(en)
	f.dirty[en.ID] = struct{}{}
	if _, ok := f.touched[en.ID]; ok {
		return
	}
	if wait := en.Shown.Add(showEvery); f.now.Before(wait) {
		f.set(en, "show", wait)
		return
	}
	f.touched[en.ID] = struct{}{}
}

// log writes a line of the activity feed.
func (f *Fold) log(en *entry, change, by, note string, codes ...string) {
	f.settle(en)
	f.fx.Log = append(f.fx.Log, Logged{
		Incident: en.ID, Change: change, At: f.now, Cause: f.seq, By: by, Note: note, State: en.State,
		Severity: en.Severity, Kind: en.Kind, Title: en.Title, SiteID: en.SiteID, Findings: codes,
	})
}

// fire does what a timer of an incident waited for.
func (f *Fold) fire(en *entry, name string) {
	switch name {
	case "show":
		f.touch(en)
	case "tell":
		f.tell(en)
	case "stable":
		f.stable(en)
	case "prove":
		f.unproven(en)
	case "calm":
		f.calm(en)
	case "own":
		f.recovered(en)
	case "remedy":
		en.Busy = false
		f.touch(en)
	case "claim":
		f.release(en, "", "the claim expired")
	case "acknowledged":
		f.unacknowledge(en)
	case "snooze":
		f.wake(en)
	case "slaAck", "slaRepair", "slaAckOver", "slaRepairOver":
		f.clock(en, name)
	case "forget":
		f.forget(en)
	}
}
