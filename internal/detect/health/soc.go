package health

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// socStall is D22: energy flows but the state of charge does not move, or a car
// that is far from full gets nothing though it is said to charge.
//
// The state of charge comes in whole percents, so it has to stand still for
// more energy than a few of them hold in a large battery. The first car that it
// happens to may be at fault itself: S4. The second makes it the port's.
func socStall() detect.Detector {
	return detect.Detector{
		ID: "D22", Code: "socStall",
		Params: []detect.Param{
			{Name: "minutes", Default: 20, Unit: "min", Doc: "how long it has to last"},
			{Name: "battery", Default: 130, Unit: "kWh", Doc: "a large battery among those that come"},
			{Name: "percents", Default: 3, Unit: "Percent", Doc: "of that battery that have to flow without a change"},
			{Name: "full", Default: 95, Unit: "Percent", Doc: "state of charge from which it may stand still"},
			{Name: "low", Default: 40, Unit: "Percent", Doc: "state of charge below which a car wants energy"},
			{Name: "cold", Default: 3, Unit: "Celsius", Doc: "a station this cold explains a battery that waits"},
			{Name: "vehicles", Default: 2, Doc: "vehicles from which on it is the port's"},
		},
		Kinds: []event.Kind{event.KindMeter, event.KindTransaction},
		On:    socMeasured,
		Ended: socEnded,
		New:   func() any { return new(socMemory) },
	}
}

type socMemory struct {
	Now    *socNow  `json:"now,omitempty"`
	Stalls []string `json:"stalls,omitempty"` // the vehicles, while the condition is open
	Fine   []bool   `json:"fine,omitempty"`   // of the last charges
}

type socNow struct {
	Tx      string    `json:"tx"`
	SoC     float64   `json:"soc"`
	Since   time.Time `json:"since"` // of the SoC
	FirstS  float64   `json:"first,omitempty"`
	Wh      float64   `json:"wh,omitempty"` // that flowed since
	PowerW  float64   `json:"powerW,omitempty"`
	At      time.Time `json:"at,omitzero"`
	Starved time.Time `json:"starved,omitzero"` // since when a low car gets nothing
	Cold    bool      `json:"cold,omitempty"`
	Stalled bool      `json:"stalled,omitempty"`
}

func socMeasured(c *detect.Context, e *event.Event) {
	tx, samples := measuredIn(e)
	if len(samples) == 0 {
		return
	}
	p := metering(c, e, tx)
	if p == nil {
		return
	}
	for i := range samples {
		r := read(samples[i].Values)
		if told(r.soc) && told(r.powerW) {
			socOf(c, p, &r, measuredAt(e, samples, i))
		}
	}
}

func socOf(c *detect.Context, p *detect.Port, r *reading, at time.Time) {
	m := detect.Memory[socMemory](c, p.EVSE)
	n := m.Now
	if n == nil || n.Tx != p.Tx.ID {
		n = &socNow{Tx: p.Tx.ID, SoC: r.soc, FirstS: r.soc, Since: at, At: at, PowerW: r.powerW}
		m.Now = n
	}
	n.Cold = n.Cold || told(r.bodyC) && r.bodyC <= c.Param("cold")
	gap := at.Sub(n.At)
	if gap > 15*time.Minute {
		n.Since, n.Wh, n.Starved = at, 0, time.Time{}
	} else {
		n.Wh += (n.PowerW + r.powerW) / 2 * gap.Hours()
	}
	n.PowerW, n.At = r.powerW, at
	if r.soc != n.SoC {
		n.SoC, n.Since, n.Wh = r.soc, at, 0
	}
	if n.Stalled {
		return // said
	}
	wait := c.Minutes("minutes")
	if r.soc < c.Param("full") && at.Sub(n.Since) >= wait && n.Wh >= c.Param("battery")*10*c.Param("percents") {
		socStalled(c, p, m, n.Since, c.Say("The state of charge stands at %.0f %% for %.0f min while %.1f kWh flowed.", n.SoC, at.Sub(n.Since).Minutes(), n.Wh/1000))
	}
	// The port says that it charges, and nothing comes: not the car's pause, not
	// a limit, not a battery that has to warm up.
	offers := !told(r.offeredW) || r.offeredW >= 2000
	starved := !n.Stalled && r.soc < c.Param("low") && r.powerW < 300 && p.Status == fleet.Charging && offers && !n.Cold && !limited(c, p)
	lasting(&n.Starved, starved, at)
	if starved && at.Sub(n.Starved) >= wait {
		socStalled(c, p, m, n.Starved, c.Say("A car at %.0f %% gets %.0f W for %.0f min, though the port says that it charges.", r.soc, r.powerW, at.Sub(n.Starved).Minutes()))
	}
}

// limited reports whether a limit of charging is in force at the port.
func limited(c *detect.Context, p *detect.Port) bool {
	m := detect.RecallOf[powerMemory](c.Station, "D09", 0)
	return m != nil && m.Limits.holds(p.EVSE, c.Now)
}

func socStalled(c *detect.Context, p *detect.Port, m *socMemory, from time.Time, text string) {
	n := m.Now
	n.Stalled = true
	m.Stalls = keepLast(m.Stalls, p.Tx.Token, 6)
	vehicles := drivers(m.Stalls, func(t *string) string { return *t })
	severity := event.S4
	if float64(vehicles) >= c.Param("vehicles") {
		severity = event.S3
	}
	c.Raise(p.EVSE, event.Finding{
		Severity: severity, Since: from, Text: text,
		Facts: []event.Fact{
			detect.Value("soc", n.SoC, "Percent"), detect.Value("energy", n.Wh/1000, "kWh"), detect.Value("power", n.PowerW/1000, "kW"),
			detect.Value("vehicles", float64(vehicles), ""), since(from),
		},
		Shared: commonWith(c.Station),
	})
}

func socEnded(c *detect.Context, t *detect.Ended) {
	m := detect.Recall[socMemory](c, t.Port.EVSE)
	if m == nil {
		return
	}
	n := m.Now
	m.Now = nil
	if len(m.Stalls) > 0 && n != nil && n.Tx == t.ID && (n.Stalled || n.SoC >= n.FirstS+3) {
		m.Fine = keepLast(m.Fine, !n.Stalled, 3)
		if fineAgain(m.Fine, func(b *bool) bool { return *b }) {
			c.Clear("socStall", t.Port.EVSE, detect.Value("sessions", 2, ""), detect.Value("soc", n.SoC, "Percent"))
			m.Stalls, m.Fine = nil, nil
		}
	}
	if len(m.Stalls) == 0 {
		c.Forget(t.Port.EVSE)
	}
}
