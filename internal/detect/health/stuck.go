package health

import (
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// stuckState is D23: a port that stays where ports do not stay. How long is too
// long a model tells by how long its ports usually stay (twice what 99 of 100 stay
// below), never less than a fixed time: guests leave cars behind everywhere, and
// how long is a matter of the place. A car left after charging at AC is a guest who overstays;
// what people or a load limit asked for is no fault.
func stuckState() detect.Detector {
	return detect.Detector{
		ID: "D23", Code: "stuck",
		Params: []detect.Param{
			{Name: "preparingMinutes", Default: 15, Unit: "min", Doc: "in Preparing"},
			{Name: "finishingMinutes", Default: 30, Unit: "min", Doc: "in Finishing"},
			{Name: "suspendedMinutes", Default: 60, Unit: "min", Doc: "in SuspendedEVSE"},
			{Name: "reservedMinutes", Default: 120, Unit: "min", Doc: "in Reserved"},
			{Name: "unavailableMinutes", Default: 720, Unit: "min", Doc: "in Unavailable, if nobody asked for it"},
			{Name: "unlearntMinutes", Default: 120, Unit: "min", Doc: "in Finishing, while it is not known how long guests of the model stay"},
			{Name: "timesUsual", Default: 2, Doc: "times the stay that 99 of 100 stay below"},
			{Name: "learnStays", Default: 200, Doc: "stays of the model's ports from which on its own 99 % count"},
		},
		Kinds: []event.Kind{
			event.KindStatus, event.KindComponent, event.KindTransaction, event.KindSessionInferred, event.KindCommand, event.KindReservation,
		},
		On:        stuckOn,
		Due:       stuckDue,
		New:       func() any { return new(stay) },
		NewCommon: func() any { return &stays{Of: make(map[string]*[stayBuckets]uint32)} },
	}
}

// stay is where a port is, if it is where ports do not stay, or what people
// wanted of it. EVSE 0 keeps what they wanted of the station.
type stay struct {
	Status fleet.Status  `json:"status"`
	Since  detect.Moment `json:"since,omitempty"`
	Closed bool          `json:"closed,omitempty"` // somebody took it out of service
	Out    bool          `json:"out,omitempty"`    // of service since it was stuck: that mends nothing
	Until  detect.Moment `json:"until,omitempty"`  // of a reservation
}

// stays count how long ports of a model were in a status: bucket n holds those
// below 2^n minutes.
type stays struct {
	Of map[string]*[stayBuckets]uint32 `json:"of"`
}

const stayBuckets = 16

func stayKey(c *detect.Context, s fleet.Status) string { return model(c.Station) + "/" + s.String() }

func (l *stays) add(key string, d time.Duration) {
	h := l.Of[key]
	if h == nil {
		if len(l.Of) >= maxModels {
			return
		}
		h = new([stayBuckets]uint32)
		l.Of[key] = h
	}
	n, i := d.Minutes(), 0
	for i < stayBuckets-1 && n >= float64(int(1)<<i) {
		i++
	}
	h[i]++
	if h[i] > 1<<20 { // what is long ago weighs less
		for i := range h {
			h[i] /= 2
		}
	}
}

// usual is the time below which 99 of 100 stays are; 0 when too few are known.
func (l *stays) usual(key string, learn float64) time.Duration {
	h := l.Of[key]
	if h == nil {
		return 0
	}
	var all, sum uint64
	for _, n := range h {
		all += uint64(n)
	}
	if float64(all) < learn {
		return 0
	}
	for i, n := range h {
		if sum += uint64(n); sum*100 >= all*99 {
			return time.Duration(int64(1)<<i) * time.Minute
		}
	}
	return 0
}

// watched reports whether ports do not stay in a status for long.
func watched(s fleet.Status) bool {
	switch s {
	case fleet.Preparing, fleet.Finishing, fleet.SuspendedEVSE, fleet.Reserved, fleet.Unavailable:
		return true
	}
	return false
}

func stuckOn(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Command:
		if evse, closed, ok := availability(b); ok {
			stuckClosed(c, evse, closed)
		}
		return
	case *event.Reservation:
		if e.Subject.EVSE > 0 && !b.ExpiresAt.IsZero() {
			detect.Memory[stay](c, e.Subject.EVSE).Until = detect.At(b.ExpiresAt)
		}
		return
	}
	for i := range c.Station.Ports {
		p := &c.Station.Ports[i]
		m := detect.Recall[stay](c, p.EVSE)
		if stuckOut(c, p, m) {
			continue
		}
		if m != nil && m.Status == p.Status && m.Since == p.Since || m == nil && !watched(p.Status) {
			continue
		}
		if m != nil && !m.Since.IsZero() && watched(m.Status) {
			stuckLeft(c, p, m)
		}
		if !watched(p.Status) {
			if m.Closed || m.Until > detect.At(c.Now) {
				m.Status, m.Since = p.Status, 0
				c.Station.Touch()
			} else {
				c.Forget(p.EVSE)
			}
			continue
		}
		m = detect.Memory[stay](c, p.EVSE)
		m.Status, m.Since = p.Status, p.Since
		c.Wake(strconv.Itoa(p.EVSE), p.Since.Add(stuckAfter(c, p)))
	}
}

// stuckOut follows a stuck port that is taken out of service and comes back: as it
// was, and then it is as stuck as before, or not.
func stuckOut(c *detect.Context, p *detect.Port, m *stay) bool {
	switch {
	case m == nil || m.Since.IsZero() || m.Status == fleet.Unavailable:
		return false
	case p.Status == fleet.Unavailable && (m.Out || m.Closed && c.Station.IsOpen("stuck", p.EVSE)):
		m.Out = true
	case m.Out && p.Status == m.Status:
		m.Out, m.Since = false, p.Since
	default:
		m.Out = false
		return false
	}
	c.Station.Touch()
	return true
}

// stuckClosed notes that people (or their playbooks) wanted ports out of service.
func stuckClosed(c *detect.Context, evse int, closed bool) {
	for i := range c.Station.Ports {
		if n := c.Station.Ports[i].EVSE; evse == 0 || n == evse {
			detect.Memory[stay](c, n).Closed = closed
			if closed && c.Station.Ports[i].Status == fleet.Unavailable {
				c.Clear("stuck", n, detect.Word("askedFor", "ChangeAvailability"))
			}
		}
	}
}

// stuckLeft ends a stay.
func stuckLeft(c *detect.Context, p *detect.Port, m *stay) {
	c.Cancel(strconv.Itoa(p.EVSE))
	lasted := m.Since.Ago(c.Now)
	for _, code := range []string{"stuck", "overstay"} {
		c.Clear(code, p.EVSE, detect.Word("status", p.Status.String()), detect.Value("lastedMinutes", lasted.Minutes(), "min"))
	}
	if !m.Closed {
		detect.Common[stays](c).add(stayKey(c, m.Status), lasted)
	}
}

func stuckAfter(c *detect.Context, p *detect.Port) time.Duration {
	name := "preparingMinutes"
	switch p.Status {
	case fleet.Finishing:
		name = "finishingMinutes"
	case fleet.SuspendedEVSE:
		name = "suspendedMinutes"
	case fleet.Reserved:
		name = "reservedMinutes"
	case fleet.Unavailable:
		name = "unavailableMinutes"
	}
	usual := detect.Common[stays](c).usual(stayKey(c, p.Status), c.Param("learnStays"))
	if usual == 0 && p.Status == fleet.Finishing {
		return max(c.Minutes(name), c.Minutes("unlearntMinutes"))
	}
	return max(c.Minutes(name), time.Duration(c.Param("timesUsual")*float64(usual)))
}

func stuckDue(c *detect.Context, key string) {
	evse, _ := strconv.Atoi(key)
	p := c.Station.Port(evse)
	m := detect.Recall[stay](c, evse)
	if p == nil || m == nil || p.Since != m.Since {
		return
	}
	again := func() { c.Wake(key, c.Now.Add(stuckAfter(c, p))) }
	code, severity := "stuck", event.S3
	switch p.Status {
	case fleet.Finishing:
		if !p.DC() {
			code, severity = "overstay", event.S4
		}
	case fleet.Preparing:
		if !p.DC() && p.Tx == nil && p.Current != "" {
			code, severity = "overstay", event.S4 // a car plugged in to stay
		}
	case fleet.SuspendedEVSE:
		if shared(c, p) {
			again() // its power may be with the others
			return
		}
		severity = event.S4 // a limit that nobody told us of looks the same
	case fleet.Reserved:
		if detect.At(c.Now) < m.Until {
			c.Wake(key, m.Until.Add(time.Minute))
			return
		}
	case fleet.Unavailable:
		if m.Closed || c.Station.Own.Status == fleet.Unavailable && !c.Station.Own.Since.IsZero() && c.Station.Own.Since < p.Since {
			again()
			return
		}
	}
	if !c.Station.Online {
		again() // what it last said is old; that it is away is another matter
		return
	}
	lasted := p.Since.Ago(c.Now)
	f := event.Finding{
		Code: code, Severity: severity, Since: p.Since.Time(),
		Text: c.Say("The port has been in %s for %s.", p.Status.String(), detect.Span(lasted)),
		Facts: []event.Fact{
			detect.Word("status", p.Status.String()), detect.Value("lastedMinutes", lasted.Minutes(), "min"),
			detect.Value("usualMinutes", detect.Common[stays](c).usual(stayKey(c, p.Status), c.Param("learnStays")).Minutes(), "min"),
		},
	}
	if p.Tx != nil {
		f.Facts = append(f.Facts, detect.Word("transaction", p.Tx.ID))
	}
	c.Raise(evse, f)
}

// shared reports whether another port that shares power with one is charging.
func shared(c *detect.Context, p *detect.Port) bool {
	for i := range c.Station.Ports {
		o := &c.Station.Ports[i]
		if o.EVSE != p.EVSE && o.Tx != nil && p.Group != "" && o.Group == p.Group {
			return true
		}
	}
	return false
}
