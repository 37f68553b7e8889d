package detect

import (
	"container/heap"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Context is what a detector is given with each call: the station as it is
// after the event, and the means to conclude, remember and wait.
type Context struct {
	Station *Station
	Now     time.Time
	Seq     uint64
	x       *Engine
	d       *Detector
}

// Network is every station; for guards that compare with neighbours.
func (c *Context) Network() *Network { return &c.x.Network }

// Param is a threshold as decided for the station.
func (c *Context) Param(name string) float64 { return c.x.settings.param(c.d, c.Station, name) }

// Minutes is a threshold in minutes.
func (c *Context) Minutes(name string) time.Duration {
	return time.Duration(c.Param(name) * float64(time.Minute))
}

// Raise opens a condition of the station (EVSE 0) or a port, or updates an open
// one when its severity differs. Code defaults to the detector's.
func (c *Context) Raise(evse int, f event.Finding) {
	if f.Code == "" {
		f.Code = c.d.Code
	}
	if c.x.settings.off(c.d, c.Station) {
		return
	}
	f.Severity = c.x.settings.severity(c.d, c.Station, f.Severity)
	f.Detector = c.d.ID
	st := c.Station
	i := slices.IndexFunc(st.Open, func(o Open) bool { return o.Code == f.Code && o.EVSE == evse })
	if i >= 0 {
		if st.Open[i].Severity == f.Severity {
			return
		}
		st.Open[i].Severity = f.Severity
		f.State, f.Since = event.FindingUpdated, st.Open[i].Since
	} else {
		if f.Since.IsZero() {
			f.Since = c.Now
		}
		f.State = event.FindingRaised
		st.Open = append(st.Open, Open{Code: f.Code, EVSE: evse, Severity: f.Severity, Since: f.Since, Detector: c.d.ID})
	}
	st.dirty = true
	c.say(evse, f)
}

// State tells a condition that is over as soon as it is told.
func (c *Context) State(evse int, f event.Finding) {
	if f.Code == "" {
		f.Code = c.d.Code
	}
	if c.x.settings.off(c.d, c.Station) {
		return
	}
	f.Severity, f.Detector = c.x.settings.severity(c.d, c.Station, f.Severity), c.d.ID
	c.say(evse, f)
}

// Clear ends a condition, if it is open.
func (c *Context) Clear(code string, evse int, facts ...event.Fact) {
	st := c.Station
	i := slices.IndexFunc(st.Open, func(o Open) bool { return o.Code == code && o.EVSE == evse })
	if i < 0 {
		return
	}
	o := st.Open[i]
	st.Open = slices.Delete(st.Open, i, i+1)
	st.dirty = true
	c.say(evse, event.Finding{
		Code: code, Severity: o.Severity, State: event.FindingCleared, Since: o.Since, Detector: o.Detector, Facts: facts,
	})
}

func (c *Context) say(evse int, f event.Finding) {
	c.x.out = append(c.x.out, Finding{Subject: event.Port(c.Station.ID, evse, 0), At: c.Now, Cause: c.Seq, Finding: f})
}

// Wake sets or moves a timer of the detector at the station.
func (c *Context) Wake(key string, at time.Time) {
	name := c.d.ID + "|" + key
	c.Station.Timers = slices.DeleteFunc(c.Station.Timers, func(t Timer) bool { return t.Key == name })
	c.Station.Timers = append(c.Station.Timers, Timer{Due: at, Key: name})
	c.Station.dirty = true
	heap.Push(&c.x.alarms, alarm{due: at, station: c.Station.ID, key: name})
}

// Waiting reports whether a timer is set.
func (c *Context) Waiting(key string) bool {
	name := c.d.ID + "|" + key
	return slices.ContainsFunc(c.Station.Timers, func(t Timer) bool { return t.Key == name })
}

// Cancel drops a timer.
func (c *Context) Cancel(key string) {
	name := c.d.ID + "|" + key
	n := len(c.Station.Timers)
	c.Station.Timers = slices.DeleteFunc(c.Station.Timers, func(t Timer) bool { return t.Key == name })
	c.Station.dirty = c.Station.dirty || n != len(c.Station.Timers)
}

// memoryKey is whose memory of which port.
type memoryKey struct {
	detector string
	evse     int
}

// Memory is what the detector remembers of a port (or, with EVSE 0, of the
// station): made by its New on first use, kept over restarts.
func Memory[T any](c *Context, evse int) *T {
	key := memoryKey{c.d.ID, evse}
	m, ok := c.Station.memory[key].(*T)
	if !ok {
		m = c.d.New().(*T)
		if c.Station.memory == nil {
			c.Station.memory = make(map[memoryKey]any)
		}
		c.Station.memory[key] = m
	}
	c.Station.dirty = true
	return m
}

// Recall is Memory without making one: nil if there is none.
func Recall[T any](c *Context, evse int) *T {
	m, _ := c.Station.memory[memoryKey{c.d.ID, evse}].(*T)
	return m
}

// RecallOf is Recall of what another detector remembers, of any station: what
// one has summed up need not be summed up again, and neighbours can be compared.
func RecallOf[T any](st *Station, detector string, evse int) *T {
	m, _ := st.memory[memoryKey{detector, evse}].(*T)
	return m
}

// Forget drops the detector's memory of a port.
func (c *Context) Forget(evse int) { delete(c.Station.memory, memoryKey{c.d.ID, evse}) }

// Value is a fact with a number.
func Value(name string, v float64, unit string) event.Fact {
	return event.Fact{Name: name, Value: &v, Unit: unit}
}

// Word is a fact with a word.
func Word(name, text string) event.Fact { return event.Fact{Name: name, Text: text} }
