package detect

import (
	"container/heap"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// Detector is one rule about stations. Its functions are called by the one
// goroutine that owns the engine; what it remembers it keeps in Memory.
type Detector struct {
	ID   string // D01
	Code string // of the condition it raises; one with several names them itself
	// Cameras and Doors say that it wants the events of these too.
	Cameras bool
	Doors   bool
	// Needs are the sources without which it says nothing, Any those of which it needs
	// one, Uses what it works better with. A detector that names none hears stations.
	Needs, Any, Uses []Source
	// Reads are the detectors whose memory it reads.
	Reads []string
	// Params are its thresholds with their defaults.
	Params []Param
	// Kinds are the events that On wants; measurements are most of all traffic.
	Kinds []event.Kind
	On    func(c *Context, e *event.Event)
	// Ended is called for each transaction that ended.
	Ended func(c *Context, t *Ended)
	// Tried is called for each try to charge that ended just now.
	Tried func(c *Context, a *attempt.Attempt)
	// Hourly is called once an hour at each station, spread over the hour; it
	// costs an idle station nothing, which a timer does.
	Hourly func(c *Context)
	// Due is called when a timer falls due that the detector set.
	Due func(c *Context, key string)
	// New returns an empty memory, of one port or of the station (EVSE 0).
	New func() any
	// NewCommon returns an empty memory of the whole network.
	NewCommon func() any
}

// follows reports whether the detector wants the events of what is kept as a station.
func (d *Detector) follows(st *Station) bool {
	return st.Camera != nil && d.Cameras || st.Door != nil && d.Doors || st.Charges()
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
	models    fleet.Catalogue
	alarms    alarms
	hourly    bool   // some detector looks hourly
	swept     Moment // the last whole minute of which the hourly looks were done
	common    map[*Detector]any
	seq       uint64
	now       time.Time
	out       []Finding
	ended     []attempt.Attempt // by what was applied or fired last
	endedAt   string            // the station
	asked     []Asked
	words     *Words
	said      map[string]string // sentences of the call under way, with their German
}

// Asked is a command that a detector wants sent.
type Asked struct {
	Cause uint64
	fleet.Intent
}

// New returns an engine that knows no station.
func New(detectors []Detector) *Engine {
	x := &Engine{
		Network: Network{
			stations: make(map[string]*Station), sites: make(map[string][]*Station),
			others: make(map[string][]*Station), armed: make(map[string]struct{}), present: make(map[string]Presence),
			places: make(map[string]Place), guards: newGuards(),
			makes: make(map[Make]*Make), ratings: make(map[Rating]*Rating),
		},
		detectors: detectors, byID: make(map[string]*Detector), byKind: make(map[event.Kind][]*Detector), common: make(map[*Detector]any),
		models: fleet.BuiltIn(), settings: Settings{},
	}
	for i := range detectors {
		d := &detectors[i]
		x.byID[d.ID] = d
		x.hourly = x.hourly || d.Hourly != nil
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

// Asked returns the commands wanted since it was last called.
func (x *Engine) Asked() []Asked {
	out := x.asked
	x.asked = nil
	return out
}

// Until is up to when timers are to be fired before an event is applied: while
// we were down nothing was observed, and no wait ended.
func (x *Engine) Until(e *event.Event) time.Time {
	if b, ok := e.Body.(*event.ServerStarted); ok && !b.LastAlive.IsZero() && b.LastAlive.Before(e.RecordedAt) {
		return b.LastAlive
	}
	return e.RecordedAt
}

// Apply folds one event and returns what follows from it. Timers due until then
// (Until) have to be fired first.
func (x *Engine) Apply(e *event.Event) []Finding {
	x.out, x.ended = x.out[:0], x.ended[:0]
	x.seq, x.now = e.Seq, later(x.now, e.RecordedAt)
	if x.swept == 0 {
		x.swept = At(x.now.Truncate(time.Minute))
	}
	if p, ok := e.Body.(*event.Policy); ok {
		switch p.Type {
		case "threshold":
			x.settings.set(p.ID, p.Value)
			return nil
		case PolicyPlace:
			x.Network.placed(p.ID, p.Value)
			return nil
		case PolicyPosture:
			x.eased(p.ID, p.Value)
			return nil
		case fleet.PolicyModel:
			x.described(p)
			return x.out
		}
	}
	if before := x.Network.stations[keyOf(e.Subject)]; before != nil {
		switch e.Body.(type) {
		case *event.StationRemoved, *event.CameraRemoved, *event.DoorRemoved, *event.ControllerRemoved:
			x.clearAll(before)
		}
	}
	st, ended := x.Network.observe(e, x.models)
	if b, ok := e.Body.(*event.ServerStarted); ok {
		x.restarted(e, b)
	}
	if st == nil {
		return x.out
	}
	var tried []attempt.Attempt
	if st.Charges() {
		tried = st.Tries.Apply(e)
	}
	if !st.Accepted {
		return x.out
	}
	c := Context{x: x, Station: st, Now: x.now, Seq: e.Seq}
	if st.Tells(e) {
		for _, d := range x.byKind[e.Body.Kind()] {
			if !d.follows(st) {
				continue
			}
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
	x.tried(&c, tried)
	return x.out
}

// Tried returns the tries to charge that the last event or timer ended, at which
// station; they count until the next.
func (x *Engine) Tried() (station string, list []attempt.Attempt) { return x.endedAt, x.ended }

// triesKey is the engine's own timer: a token that waits for its car.
const triesKey = "|tries"

// tried tells the detectors of tries that ended, and waits for the next.
func (x *Engine) tried(c *Context, list []attempt.Attempt) {
	x.endedAt, x.ended = c.Station.ID, x.ended[:0]
	for i := range list {
		a := &list[i]
		if a.Late || a.Again || c.Now.Sub(a.EndsAt) > event.LateAfter {
			continue
		}
		x.ended = append(x.ended, *a)
		for i := range x.detectors {
			if d := &x.detectors[i]; d.Tried != nil {
				c.d = d
				d.Tried(c, a)
			}
		}
	}
	st := c.Station
	due, waits := st.Tries.Due()
	i := slices.IndexFunc(st.Timers, func(t Timer) bool { return t.Key == triesKey })
	if waits && (i < 0 || st.Timers[i].Due != At(due)) {
		x.wake(st, triesKey, notBefore(due))
	}
}

// wake sets or moves a timer of a station.
func (x *Engine) wake(st *Station, key string, due Moment) {
	st.Timers = slices.DeleteFunc(st.Timers, func(t Timer) bool { return t.Key == key })
	st.Timers = append(st.Timers, Timer{Due: due, Key: key})
	st.dirty = true
	heap.Push(&x.alarms, alarm{due: due, station: st.ID, key: key})
}

// restarted tells the detectors that we were away: what waits goes on waiting
// as long as it had left.
func (x *Engine) restarted(e *event.Event, b *event.ServerStarted) {
	x.swept = max(x.swept, At(e.RecordedAt.Truncate(time.Minute)))
	var away Moment
	if until := x.Until(e); !b.LastAlive.IsZero() {
		away = At(e.RecordedAt) - At(until)
	}
	x.alarms = x.alarms[:0]
	for _, id := range slices.Sorted(maps.Keys(x.Network.stations)) {
		st := x.Network.stations[id]
		for i := range st.Timers {
			t := &st.Timers[i]
			t.Due += away
			st.dirty = st.dirty || away > 0
			heap.Push(&x.alarms, alarm{due: t.Due, station: id, key: t.Key})
		}
		if !st.Accepted {
			continue
		}
		c := Context{x: x, Station: st, Now: x.now, Seq: e.Seq}
		for _, d := range x.byKind[event.KindServerStarted] {
			if !d.follows(st) {
				continue
			}
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

// Due returns when the next timer falls due, or the next hourly looks.
func (x *Engine) Due() (time.Time, bool) {
	x.alarms.settle(&x.Network)
	if x.swept != 0 && x.hourly {
		next := x.swept + minute
		if len(x.alarms) > 0 {
			next = min(next, x.alarms[0].due)
		}
		return next.Time(), true
	}
	if len(x.alarms) == 0 {
		return time.Time{}, false
	}
	return x.alarms[0].due.Time(), true
}

// Fire fires what falls due first, which Due told of.
func (x *Engine) Fire() []Finding {
	x.out, x.ended = x.out[:0], x.ended[:0]
	x.alarms.settle(&x.Network)
	if x.swept != 0 && x.hourly && (len(x.alarms) == 0 || x.swept+minute <= x.alarms[0].due) {
		x.sweep()
		return x.out
	}
	if len(x.alarms) == 0 {
		return nil
	}
	a := heap.Pop(&x.alarms).(alarm)
	st := x.Network.stations[a.station]
	st.Timers = slices.DeleteFunc(st.Timers, func(t Timer) bool { return t.Key == a.key })
	st.dirty = true
	x.now = later(x.now, a.due.Time())
	c := Context{x: x, Station: st, Now: x.now, Seq: x.seq}
	id, key, _ := strings.Cut(a.key, "|")
	switch d := x.byID[id]; {
	case a.key == triesKey:
		tried := st.Tries.Expire(x.now)
		if st.Accepted {
			x.tried(&c, tried)
		}
	case d == nil || d.Due == nil || !st.Accepted:
	default:
		c.d = d
		d.Due(&c, key)
	}
	return x.out
}

const minute = Moment(time.Minute / time.Microsecond)

// sweep does the hourly looks of one minute.
func (x *Engine) sweep() {
	x.swept += minute
	x.now = later(x.now, x.swept.Time())
	for _, st := range x.Network.minutes[x.swept/minute%60] {
		if !st.Accepted {
			continue
		}
		c := Context{x: x, Station: st, Now: x.now, Seq: x.seq}
		for i := range x.detectors {
			if d := &x.detectors[i]; d.Hourly != nil {
				c.d = d
				d.Hourly(&c)
			}
		}
	}
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
	due          Moment
	station, key string
}

type alarms []alarm

// settle drops what was cancelled or moved from the head.
func (l *alarms) settle(n *Network) {
	for len(*l) > 0 {
		a := (*l)[0]
		if st := n.stations[a.station]; st != nil && slices.ContainsFunc(st.Timers, func(t Timer) bool { return t.Key == a.key && t.Due == a.due }) {
			return
		}
		heap.Pop(l)
	}
}

func (l alarms) Len() int { return len(l) }
func (l alarms) Less(i, j int) bool {
	if l[i].due != l[j].due {
		return l[i].due < l[j].due
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
