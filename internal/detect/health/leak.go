package health

import (
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// groundTrend is D16: residual current or insulation trips that mend
// themselves, again and again. In the public log of a real network 96 % of the
// stations whose protection tripped for good had tripped softly within the day
// before, and 75 % three times or more (doi 10.21227/ya1w-m583).
//
// One car that leaks is not the station's fault, so the trips have to come with
// two vehicles, or with none at all. A trip that stands is for the detector of
// hard faults.
func groundTrend() detect.Detector {
	return detect.Detector{
		ID: "D16", Code: "groundTrend",
		Params: []detect.Param{
			{Name: "trips", Default: 3, Doc: "trips that mended themselves within the time"},
			{Name: "hours", Default: 24, Unit: "h", Doc: "the time in which they are counted"},
			{Name: "vehicles", Default: 2, Doc: "vehicles they came with, if they came with any"},
			{Name: "mends", Default: 10, Unit: "min", Doc: "a ground fault that clears within this is a soft trip"},
			{Name: "quiet", Default: 72, Unit: "h", Doc: "without a trip and with charges, after which it is over"},
		},
		Kinds: []event.Kind{event.KindStatus, event.KindComponent},
		On:    leakHeard,
		Ended: leakCharged,
		New:   func() any { return new(leakMemory) },
	}
}

type leakMemory struct {
	Standing  time.Time `json:"standing,omitzero"` // since when a trip stands
	Token     string    `json:"token,omitempty"`   // who charged when it came
	Idle      bool      `json:"idle,omitempty"`    // nobody did
	Soft      bool      `json:"soft,omitempty"`    // it says itself that it recloses
	Trips     []trip    `json:"trips,omitempty"`
	Charges   int       `json:"charges,omitempty"` // since the last trip
	Insulates bool      `json:"insulates,omitempty"`
}

type trip struct {
	At    time.Time `json:"at"`
	Token string    `json:"token,omitempty"`
	Idle  bool      `json:"idle,omitempty"`
}

const maxTrips = 64

// leak is how a fault tells of current that goes astray.
type leak uint8

const (
	noLeak     leak = iota
	insulation      // measured before charging; a car takes part in it
	residual        // a protection tripped
	reclosed        // and says that it reclosed by itself
)

// leakOf reads the words of a fault. Vendors name it in many ways; those of
// OCPP 1.6, of the OCPP 2.0.1 components and of the MREC list are among them.
func leakOf(words ...string) leak {
	found := noLeak
	for _, w := range words {
		w = strings.ToLower(w)
		soft := strings.Contains(w, "soft") || strings.Contains(w, "reclos")
		for _, name := range []string{"gfci", "rcd", "residual", "groundfa", "ground fa", "earth fa", "earth leak", "cx002"} {
			if !strings.Contains(w, name) {
				continue
			}
			if soft {
				return reclosed
			}
			found = residual
		}
		if found == noLeak && (strings.Contains(w, "insulation") || strings.Contains(w, "isolation")) {
			found = insulation
		}
	}
	return found
}

func leakHeard(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Status:
		kind := leakOf(b.ErrorCode, b.VendorErrorCode, b.Info)
		if e.Subject.EVSE == 0 && kind == noLeak {
			return
		}
		leakTold(c, e.Subject.EVSE, kind, kind != noLeak)
	case *event.Component:
		for i := range b.Items {
			item := &b.Items[i]
			kind := leakOf(item.Component, item.TechCode, item.TechInfo)
			if kind == noLeak || item.Variable != "Problem" && item.Variable != "Tripped" && item.Variable != "Fault" && item.Variable != "Active" {
				continue
			}
			leakTold(c, item.EVSE, kind, !item.Cleared && !strings.EqualFold(item.Value, "false") && item.Value != "0")
		}
	}
}

// leakTold follows a trip from when it comes to when it goes.
func leakTold(c *detect.Context, evse int, kind leak, stands bool) {
	m := detect.RecallOf[leakMemory](c.Station, "D16", evse)
	if stands == (m != nil && !m.Standing.IsZero()) {
		return // said again
	}
	m = detect.Memory[leakMemory](c, evse)
	if stands {
		m.Standing, m.Soft, m.Insulates = c.Now, kind == reclosed, kind == insulation
		m.Token, m.Idle = "", true
		for i := range c.Station.Ports {
			if p := &c.Station.Ports[i]; p.Tx != nil && (evse == 0 || evse == p.EVSE) {
				m.Token, m.Idle = p.Tx.Token, false
			}
		}
		if m.Soft {
			leakTripped(c, evse, m)
		}
		return
	}
	began := m.Standing
	m.Standing = time.Time{}
	// Insulation is measured on a car: without one it says nothing.
	if !m.Soft && c.Now.Sub(began) <= c.Minutes("mends") && !(m.Insulates && m.Idle) {
		leakTripped(c, evse, m)
	}
	if len(m.Trips) == 0 {
		c.Forget(evse)
	}
}

func leakTripped(c *detect.Context, evse int, m *leakMemory) {
	m.Trips = keepLast(m.Trips, trip{At: c.Now, Token: m.Token, Idle: m.Idle}, maxTrips)
	m.Charges = 0
	span := time.Duration(c.Param("hours") * float64(time.Hour))
	m.Trips = slices.DeleteFunc(m.Trips, func(t trip) bool { return c.Now.Sub(t.At) > span })
	idle := 0
	var driven []trip
	for _, t := range m.Trips {
		if t.Idle {
			idle++
		} else {
			driven = append(driven, t)
		}
	}
	vehicles := drivers(driven, func(t *trip) string { return t.Token })
	if float64(len(m.Trips)) < c.Param("trips") || idle == 0 && float64(vehicles) < c.Param("vehicles") {
		return
	}
	f := event.Finding{
		Severity: event.S2,
		Text: c.Say("The ground protection tripped %d times within %.0f h and closed again by itself, with %s.",
			len(m.Trips), span.Hours(), detect.Count{N: float64(vehicles), Unit: "vehicle"}),
		Facts: []event.Fact{
			detect.Value("trips", float64(len(m.Trips)), ""), detect.Value("window", span.Hours(), "h"),
			detect.Value("vehicles", float64(vehicles), ""), detect.Value("idleTrips", float64(idle), ""), since(m.Trips[0].At),
		},
		Since: m.Trips[0].At, Shared: commonWith(c.Station),
	}
	// Rain comes to all of a site: then it is one matter.
	if n := leakingBeside(c, span); n > 0 {
		f.Facts = append(f.Facts, detect.Value("stationsBeside", float64(n), ""))
		f.Shared = []string{"site/" + c.Station.SiteID}
	}
	c.Raise(evse, f)
}

// leakingBeside counts the other stations of the site that tripped in the same
// time.
func leakingBeside(c *detect.Context, span time.Duration) int {
	n := 0
	for st := range c.Network().Site(c.Station.SiteID) {
		if st == c.Station {
			continue
		}
		tripped := false
		for evse := 0; evse <= len(st.Ports) && !tripped; evse++ {
			id := 0
			if evse > 0 {
				id = st.Ports[evse-1].EVSE
			}
			if m := detect.RecallOf[leakMemory](st, "D16", id); m != nil && len(m.Trips) > 0 {
				tripped = c.Now.Sub(m.Trips[len(m.Trips)-1].At) <= span
			}
		}
		if tripped {
			n++
		}
	}
	return n
}

// leakCharged clears it: charges in a quiet time are the proof.
func leakCharged(c *detect.Context, t *detect.Ended) {
	for _, evse := range []int{t.Port.EVSE, 0} {
		m := detect.Recall[leakMemory](c, evse)
		if m == nil || len(m.Trips) == 0 {
			continue
		}
		if t.EnergyWh >= 500 {
			m.Charges++
		}
		last := m.Trips[len(m.Trips)-1].At
		if c.Now.Sub(last) < time.Duration(c.Param("quiet")*float64(time.Hour)) || m.Charges < 2 || !m.Standing.IsZero() {
			continue
		}
		c.Clear("groundTrend", evse, detect.Value("sessions", float64(m.Charges), ""), since(last))
		c.Forget(evse)
	}
}
