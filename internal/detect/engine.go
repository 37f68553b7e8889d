package detect

import (
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Detector is one rule about stations. Its functions are called by the one
// goroutine that owns the engine; what it remembers it keeps in Memory.
type Detector struct {
	ID   string // D01
	Code string // of the condition it raises; one with several names them itself
	// Params are its thresholds with their defaults.
	Params []Param
	// Kinds are the events that On wants; measurements are most of all traffic.
	Kinds []event.Kind
	On    func(c *Context, e *event.Event)
	// Ended is called for each transaction that ended.
	Ended func(c *Context, t *Ended)
	// Due is called when a timer falls due that the detector set.
	Due func(c *Context, key string)
	// New returns an empty memory, of one port or of the station (EVSE 0).
	New func() any
}

// Param is one threshold.
type Param struct {
	Name    string  `json:"name"`
	Default float64 `json:"default"`
	Unit    string  `json:"unit,omitempty"`
	Doc     string  `json:"doc"`
}

// Finding is a detector's statement about a subject.
type Finding struct {
	Subject event.Subject
	At      time.Time // RecordedAt of what it follows from
	Cause   uint64
	event.Finding
}

// Engine runs detectors over the events of a journal.
type Engine struct {
	Network   Network
	detectors []Detector
	byID      map[string]*Detector
	byKind    map[event.Kind][]*Detector
	settings  Settings
	layouts   fleet.Layouts
	alarms    alarms
	seq       uint64
	now       time.Time
	out       []Finding
}

// New returns an engine that knows no station.
func New(detectors []Detector) *Engine {
	x := &Engine{
		Network:   Network{stations: make(map[string]*Station), sites: make(map[string]map[string]*Station)},
		detectors: detectors, byID: make(map[string]*Detector), byKind: make(map[event.Kind][]*Detector),
		layouts: fleet.BuiltIn(), settings: Settings{},
	}
	for i := range detectors {
		d := &detectors[i]
		x.byID[d.ID] = d
		for _, k := range d.Kinds {
			x.byKind[k] = append(x.byKind[k], d)
		}
	}
	return x
}

// Seq is the sequence of the last event applied.
func (x *Engine) Seq() uint64 { return x.seq }

// Now is the time the engine has come to.
func (x *Engine) Now() time.Time { return x.now }

// Apply folds one event and returns what follows from it. Timers due before it
// have to be fired first.
func (x *Engine) Apply(e *event.Event) []Finding {
	x.out = x.out[:0]
	x.seq, x.now = e.Seq, later(x.now, e.RecordedAt)
	if p, ok := e.Body.(*event.Policy); ok && p.Type == "threshold" {
		x.settings.set(p.ID, p.Value)
		return nil
	}
	before := x.Network.stations[e.Subject.ID]
	if _, ok := e.Body.(*event.StationRemoved); ok && before != nil && e.Subject.Type == event.StationSubject {
		x.clearAll(before)
	}
	st, ended := x.Network.observe(e, x.layouts)
	if _, ok := e.Body.(*event.ServerStarted); ok {
		x.restarted(e)
	}
	if st == nil || !st.Accepted {
		return x.out
	}
	c := Context{x: x, Station: st, Now: x.now, Seq: e.Seq}
	if !e.Late() {
		for _, d := range x.byKind[e.Body.Kind()] {
			c.d = d
			d.On(&c, e)
		}
	}
	if ended != nil && !ended.Late {
		for i := range x.detectors {
			if d := &x.detectors[i]; d.Ended != nil {
				c.d = d
				d.Ended(&c, ended)
			}
		}
	}
	return x.out
}

// restarted tells the detectors that wait for silence that we were away.
func (x *Engine) restarted(e *event.Event) {
	for _, id := range sortedKeys(x.Network.stations) {
		st := x.Network.stations[id]
		if !st.Accepted {
			continue
		}
		c := Context{x: x, Station: st, Now: x.now, Seq: e.Seq}
		for _, d := range x.byKind[event.KindServerStarted] {
			c.d = d
			d.On(&c, e)
		}
	}
}

// clearAll ends the conditions of a station that leaves the network.
func (x *Engine) clearAll(st *Station) {
	for _, o := range slices.Clone(st.Open) {
		c := Context{x: x, Station: st, Now: x.now, Seq: x.seq, d: x.byID[o.Detector]}
		c.Clear(o.Code, o.EVSE, event.Fact{Name: "removed"})
	}
	st.Timers = nil
}

// Due returns when the next timer falls due.
func (x *Engine) Due() (time.Time, bool) {
	x.alarms.settle(&x.Network)
	if len(x.alarms) == 0 {
		return time.Time{}, false
	}
	return x.alarms[0].due, true
}

// Fire fires the earliest timer, which Due told of.
func (x *Engine) Fire() []Finding {
	x.out = x.out[:0]
	x.alarms.settle(&x.Network)
	if len(x.alarms) == 0 {
		return nil
	}
	a := heap.Pop(&x.alarms).(alarm)
	st := x.Network.stations[a.station]
	st.Timers = slices.DeleteFunc(st.Timers, func(t Timer) bool { return t.Key == a.key })
	st.dirty = true
	x.now = later(x.now, a.due)
	id, key, _ := strings.Cut(a.key, "|")
	d := x.byID[id]
	if d == nil || d.Due == nil || !st.Accepted {
		return nil
	}
	d.Due(&Context{x: x, Station: st, Now: x.now, Seq: x.seq, d: d}, key)
	return x.out
}

// Elapse says that time has come to t without an event.
func (x *Engine) Elapse(t time.Time) { x.now = later(x.now, t) }

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// alarm is a timer as the engine keeps it in order: by due time, station, key.
type alarm struct {
	due          time.Time
	station, key string
}

type alarms []alarm

// settle drops what was cancelled or moved from the head.
func (l *alarms) settle(n *Network) {
	for len(*l) > 0 {
		a := (*l)[0]
		if st := n.stations[a.station]; st != nil && slices.ContainsFunc(st.Timers, func(t Timer) bool { return t.Key == a.key && t.Due.Equal(a.due) }) {
			return
		}
		heap.Pop(l)
	}
}

func (l alarms) Len() int { return len(l) }
func (l alarms) Less(i, j int) bool {
	if c := l[i].due.Compare(l[j].due); c != 0 {
		return c < 0
	}
	if l[i].station != l[j].station {
		return l[i].station < l[j].station
	}
	return l[i].key < l[j].key
}
func (l alarms) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *alarms) Push(x any)   { *l = append(*l, x.(alarm)) }
func (l *alarms) Pop() any {
	old := *l
	last := old[len(old)-1]
	*l = old[:len(old)-1]
	return last
}
