package health

import (
	"math"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// coolingLost is D13: a cabinet that gets warmer than its neighbours do at the
// same load. Sun and weather warm all of a site, so they are not seen. Where no
// neighbour charges at the time, the cabinet is held against what it warmed up
// by itself before, over the air of the site.
func coolingLost() detect.Detector {
	return detect.Detector{
		ID: "D13", Code: "coolingLost",
		Params: []detect.Param{
			{Name: "kelvin", Default: 15, Unit: "K", Doc: "warmer than its neighbours at equal load"},
			{Name: "minutes", Default: 30, Unit: "min", Doc: "how long, over all charges"},
			{Name: "least", Default: 30, Unit: "Celsius", Doc: "a cabinet that is cooler is not judged"},
			{Name: "settle", Default: 10, Unit: "min", Doc: "under load before it is judged"},
			{Name: "load", Default: 25, Unit: "Percent", Doc: "of the rating from which it is judged"},
			{Name: "equal", Default: 20, Unit: "Percent", Doc: "of the rating by which equal loads may differ"},
			{Name: "learn", Default: 6, Doc: "charges from which its own warming is learnt"},
		},
		Kinds: []event.Kind{event.KindMeter, event.KindTransaction, event.KindStatus, event.KindComponent},
		On:    coolingMeasured,
		Ended: coolingEnded,
		New:   func() any { return new(coolingMemory) },
	}
}

// coolingTau is about how long a cabinet takes to follow its load.
const coolingTau = 5 * time.Minute

// coolingMemory is of a port, or of the station (EVSE 0) for its fans alone.
type coolingMemory struct {
	Fan bool `json:"fan,omitempty"` // a fan or pump tells of a fault

	Now      *coolingNow `json:"now,omitempty"`
	Learnt   []float64   `json:"learnt,omitempty"`   // K at full load of the last charges
	Baseline float64     `json:"baseline,omitempty"` // their median when there were enough
	HotFor   float64     `json:"hotFor,omitempty"`   // minutes, less those that were not hot
	Since    time.Time   `json:"since,omitzero"`
	Fine     []bool      `json:"fine,omitempty"`
}

type coolingNow struct {
	Tx      string    `json:"tx"`
	At      time.Time `json:"at"`
	C       float64   `json:"c"`
	Load    float64   `json:"load,omitempty"` // as a share of the rating, as the cabinet feels it
	W       float64   `json:"w,omitempty"`
	LoadFor float64   `json:"loadFor,omitempty"`
	AirC    float64   `json:"airC,omitempty"`
	HasAir  bool      `json:"hasAir,omitempty"`
	Judged  float64   `json:"judged,omitempty"` // minutes
	Hot     float64   `json:"hot,omitempty"`
	Sum     float64   `json:"sum,omitempty"`
	N       int       `json:"n,omitempty"`
}

func coolingMeasured(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Status:
		if b.ErrorCode == "" {
			return // OCPP 2.x tells faults by component
		}
		text := strings.ToLower(b.VendorErrorCode + " " + b.Info)
		fan := b.ErrorCode != "NoError" && (strings.Contains(text, "fan") || strings.Contains(text, "pump") || strings.Contains(text, "cool"))
		coolingTold(c, e.Subject.EVSE, fan)
		return
	case *event.Component:
		for i := range b.Items {
			item := &b.Items[i]
			if (item.Component == "AirCoolingSystem" || item.Component == "LiquidCoolingSystem") && item.Variable == "Problem" {
				coolingTold(c, item.EVSE, !item.Cleared && !strings.EqualFold(item.Value, "false"))
			}
		}
		return
	}
	tx, samples := measuredIn(e)
	if len(samples) == 0 {
		return
	}
	p := metering(c, e, tx)
	if p == nil || !p.DC() || p.RatedW <= 0 {
		return
	}
	for i := range samples {
		r := read(samples[i].Values)
		if told(r.bodyC) && told(r.powerW) {
			coolingOf(c, p, &r, measuredAt(e, samples, i))
		}
	}
}

// coolingTold notes that a fan or a pump tells of a fault, or no longer does.
func coolingTold(c *detect.Context, evse int, fan bool) {
	if m := detect.Recall[coolingMemory](c, evse); m == nil && !fan {
		return
	}
	m := detect.Memory[coolingMemory](c, evse)
	if m.Fan = fan; m.empty() {
		c.Forget(evse)
	}
}

func (m *coolingMemory) empty() bool {
	return !m.Fan && m.Now == nil && len(m.Learnt) == 0 && m.Baseline == 0 && m.HotFor == 0 && len(m.Fine) == 0
}

func coolingOf(c *detect.Context, p *detect.Port, r *reading, at time.Time) {
	m := detect.Memory[coolingMemory](c, p.EVSE)
	n := m.Now
	if n == nil || n.Tx != p.Tx.ID {
		n = &coolingNow{Tx: p.Tx.ID, At: at}
		n.AirC, n.HasAir = siteAir(c)
		m.Now = n
	}
	dt := min(at.Sub(n.At), 15*time.Minute)
	load := (n.W + r.powerW) / 2 / p.RatedW
	n.Load += (load - n.Load) * (1 - math.Exp(-dt.Seconds()/coolingTau.Seconds()))
	n.W, n.At, n.C = r.powerW, at, r.bodyC
	least := c.Param("load") / 100
	if n.Load < least {
		n.LoadFor = 0
		return
	}
	n.LoadFor += dt.Minutes()
	if n.LoadFor < c.Param("settle") {
		return
	}
	if n.HasAir {
		n.Sum += (r.bodyC - n.AirC) / n.Load
		n.N++
	}
	expected, beside, ok := coolingExpected(c, p, m)
	if !ok {
		return
	}
	over, kelvin, wait := r.bodyC-expected, c.Param("kelvin"), c.Param("minutes")
	if all := detect.Recall[coolingMemory](c, 0); m.Fan || all != nil && all.Fan {
		kelvin, wait = kelvin/2, wait/3 // it says so itself
	}
	n.Judged += dt.Minutes()
	if over <= kelvin || r.bodyC < c.Param("least") {
		if m.HotFor = max(0, m.HotFor-2*dt.Minutes()); m.HotFor == 0 {
			m.Since = time.Time{}
		}
		return
	}
	n.Hot += dt.Minutes()
	m.HotFor = min(m.HotFor+dt.Minutes(), 2*wait)
	lasting(&m.Since, true, at)
	if m.HotFor < wait || c.Station.IsOpen("coolingLost", p.EVSE) {
		return
	}
	of := any(detect.Phrase("it was at that load before"))
	if beside > 0 {
		of = c.Say("%s at equal load", detect.Count{N: float64(beside), Unit: "neighbour"})
	}
	c.Raise(p.EVSE, event.Finding{
		Severity: event.S3, Since: m.Since,
		Text: c.Say("The cabinet is at %.0f °C at %.0f %% load, %.0f K warmer than %s.", r.bodyC, 100*n.Load, over, of),
		Facts: []event.Fact{
			detect.Value("temperature", r.bodyC, "Celsius"), detect.Value("expected", expected, "Celsius"), detect.Value("load", 100*n.Load, "Percent"),
			detect.Value("duration", m.HotFor, "min"), since(m.Since),
		},
		Shared: commonWith(c.Station),
	})
}

// siteAir is how warm the air is at the site, as the plugs that were left alone
// told (see D12).
func siteAir(c *detect.Context) (air float64, ok bool) {
	if m := detect.RecallOf[heatMemory](c.Station, "D12", 0); m != nil && !m.AirAt.IsZero() && c.Now.Sub(m.AirAt) <= airLasts {
		return m.AirC, true
	}
	for st := range c.Network().Site(c.Station.SiteID) {
		if m := detect.RecallOf[heatMemory](st, "D12", 0); m != nil && !m.AirAt.IsZero() && c.Now.Sub(m.AirAt) <= airLasts {
			return m.AirC, true
		}
	}
	return 0, false
}

// coolingExpected is how warm the cabinet should be: as its neighbours of the
// same model are at the same load, else as it was itself.
func coolingExpected(c *detect.Context, p *detect.Port, m *coolingMemory) (temp float64, beside int, ok bool) {
	n := m.Now
	var temps [16]float64
	for st := range c.Network().Site(c.Station.SiteID) {
		if st.Make != c.Station.Make && (st.Vendor != c.Station.Vendor || st.Model != c.Station.Model) {
			continue
		}
		for i := range st.Ports {
			o := &st.Ports[i]
			if st == c.Station && o.EVSE == p.EVSE || o.Tx == nil || o.RatedW != p.RatedW || beside == len(temps) {
				continue
			}
			s := detect.RecallOf[coolingMemory](st, "D13", o.EVSE)
			if s == nil || s.Now == nil || s.Now.LoadFor < c.Param("settle") || n.At.Sub(s.Now.At) > 10*time.Minute {
				continue
			}
			if math.Abs(s.Now.Load-n.Load) <= c.Param("equal")/100 {
				temps[beside] = s.Now.C
				beside++
			}
		}
	}
	if beside > 0 {
		return median(temps[:beside]), beside, true
	}
	if n.HasAir && m.Baseline > 0 {
		return n.AirC + m.Baseline*n.Load, 0, true
	}
	return 0, 0, false
}

func coolingEnded(c *detect.Context, t *detect.Ended) {
	evse := t.Port.EVSE
	m := detect.Recall[coolingMemory](c, evse)
	if m == nil || m.Now == nil {
		return
	}
	n := m.Now
	m.Now = nil
	if n.Tx != t.ID {
		return
	}
	if n.N >= 3 && m.Baseline == 0 {
		m.Learnt = append(m.Learnt, n.Sum/float64(n.N))
		if len(m.Learnt) >= max(3, min(int(c.Param("learn")), 60)) {
			m.Baseline, m.Learnt = max(1, median(m.Learnt)), nil
		}
	}
	if n.Judged >= 5 && c.Station.IsOpen("coolingLost", evse) {
		m.Fine = keepLast(m.Fine, n.Hot < n.Judged/4, 3)
		if fineAgain(m.Fine, func(b *bool) bool { return *b }) {
			c.Clear("coolingLost", evse, detect.Value("temperature", n.C, "Celsius"), detect.Value("load", 100*n.Load, "Percent"))
			m.HotFor, m.Since, m.Fine = 0, time.Time{}, nil
		}
	}
	if m.empty() {
		c.Forget(evse)
	}
}
