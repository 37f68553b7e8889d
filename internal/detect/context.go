package detect

import (
	"slices"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
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
		f.State, f.Since = event.FindingUpdated, st.Open[i].Since.Time()
	} else {
		if f.Since.IsZero() {
			f.Since = c.Now
		}
		f.State = event.FindingRaised
		st.Open = append(st.Open, Open{Code: f.Code, EVSE: evse, Severity: f.Severity, Since: At(f.Since), Detector: c.d.ID})
	}
	st.dirty = true
	c.say(evse, f)
}

// More says more of an open condition, at the severity that it has.
func (c *Context) More(evse int, f event.Finding) {
	if f.Code == "" {
		f.Code = c.d.Code
	}
	i := slices.IndexFunc(c.Station.Open, func(o Open) bool { return o.Code == f.Code && o.EVSE == evse })
	if i < 0 {
		return
	}
	o := c.Station.Open[i]
	f.Severity, f.State, f.Since, f.Detector = o.Severity, event.FindingUpdated, o.Since.Time(), c.d.ID
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
		Code: code, Severity: o.Severity, State: event.FindingCleared, Since: o.Since.Time(), Detector: o.Detector, Facts: facts,
	})
}

func (c *Context) say(evse int, f event.Finding) {
	if f.Shared == nil {
		f.Shared = c.Shared()
	}
	f.TextDE = c.x.german(f.Text)
	clear(c.x.said)
	c.x.out = append(c.x.out, Finding{Subject: c.Station.subject(evse), At: c.Now, Cause: c.Seq, Finding: f})
}

// Shared names what a fault at the station may have in common with others.
func (c *Context) Shared() []string {
	st := c.Station
	var out []string
	if st.SiteID != "" {
		out = append(out, "site/"+st.SiteID)
	}
	if st.Carrier != "" {
		out = append(out, "carrier/"+st.Carrier)
	}
	if st.Firmware != "" {
		out = append(out, "firmware/"+st.Vendor+"/"+st.Model+"/"+st.Firmware)
	}
	if c.Fresh() {
		out = append(out, "us")
	}
	return out
}

// settleFor is how long after our own start stations may take to come back.
const settleFor = 15 * time.Minute

// Fresh reports whether we started so lately that silence is more likely ours.
func (c *Context) Fresh() bool {
	return !c.x.Network.StartedAt.IsZero() && c.Now.Sub(c.x.Network.StartedAt) < settleFor
}

// Ask wants a command sent to the station within a time. The key tells two apart;
// the result comes as an event.CommandResult of the id that is returned.
func (c *Context) Ask(key, action, payload string, within time.Duration) (commandID string) {
	id := "probe/" + c.d.ID + "/" + c.Station.ID + "/" + strconv.FormatInt(c.Now.UnixMicro(), 36) + "/" + key
	c.x.asked = append(c.x.asked, Asked{Cause: c.Seq, Intent: fleet.Intent{
		Key: id, Station: c.Station.ID, Action: action, Payload: payload, Due: c.Now, Expires: c.Now.Add(within), Reason: "detector " + c.d.ID,
	}})
	return id
}

// Wake sets or moves a timer of the detector at the station.
func (c *Context) Wake(key string, at time.Time) { c.x.wake(c.Station, c.d.ID+"|"+key, notBefore(at)) }

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

// memory is what one detector remembers of a port.
type memory struct {
	d     *Detector
	evse  int
	value any
}

// Memory is what the detector remembers of a port (or, with EVSE 0, of the
// station): made by its New on first use, kept over restarts. An idle station
// should have none: use Recall to look and Forget when nothing is worth keeping.
func Memory[T any](c *Context, evse int) *T {
	c.Station.dirty = true
	if m := Recall[T](c, evse); m != nil {
		return m
	}
	m := c.d.New().(*T)
	c.Station.memory = append(c.Station.memory, memory{c.d, evse, m})
	return m
}

// Recall is Memory without making one: nil if there is none.
func Recall[T any](c *Context, evse int) *T {
	for i := range c.Station.memory {
		if m := &c.Station.memory[i]; m.d == c.d && m.evse == evse {
			value, _ := m.value.(*T)
			return value
		}
	}
	return nil
}

// RecallOf is Recall of what another detector remembers, of any station: what
// one has summed up need not be summed up again, and neighbours can be compared.
func RecallOf[T any](st *Station, detector string, evse int) *T {
	for i := range st.memory {
		if m := &st.memory[i]; m.d.ID == detector && m.evse == evse {
			value, _ := m.value.(*T)
			return value
		}
	}
	return nil
}

// Forget drops the detector's memory of a port.
func (c *Context) Forget(evse int) {
	c.Station.dirty = true
	c.Station.memory = slices.DeleteFunc(c.Station.memory, func(m memory) bool { return m.d == c.d && m.evse == evse })
}

// Common is what the detector remembers of the whole network, made by its
// NewCommon and kept over restarts. The detector keeps it bounded.
func Common[T any](c *Context) *T {
	m, ok := c.x.common[c.d].(*T)
	if !ok {
		m = c.d.NewCommon().(*T)
		c.x.common[c.d] = m
	}
	return m
}

// Value is a fact with a number.
func Value(name string, v float64, unit string) event.Fact {
	return event.Fact{Name: name, Value: &v, Unit: unit}
}

// Word is a fact with a word.
func Word(name, text string) event.Fact { return event.Fact{Name: name, Text: text} }

// Of is the same call at another station: what happens here may tell of there.
func (c *Context) Of(st *Station) *Context {
	other := *c
	other.Station = st
	return &other
}
