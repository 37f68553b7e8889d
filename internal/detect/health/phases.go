package health

import (
	"fmt"
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// phaseFault is D21: a three-phase port that lost a phase, or whose voltages
// drift apart. The imbalance is that of NEMA MG 1: the greatest distance of a
// phase from the mean, as a share of the mean.
//
// Cars that charge on one phase or on two are no fault. A phase without current
// therefore counts only if its voltage is gone as well, or if several vehicles
// in a row left out the same one.
func phaseFault() detect.Detector {
	return detect.Detector{
		ID: "D21", Code: "phaseLoss",
		Params: []detect.Param{
			{Name: "gone", Default: 10, Unit: "Percent", Doc: "of the strongest phase; less is no current"},
			{Name: "flows", Default: 50, Unit: "Percent", Doc: "of the strongest phase; the two others carry more"},
			{Name: "imbalance", Default: 3, Unit: "Percent", Doc: "of the voltages"},
			{Name: "sag", Default: 80, Unit: "Percent", Doc: "of the other phases' voltage; less is a phase gone"},
			{Name: "minutes", Default: 5, Unit: "min", Doc: "how long it has to last"},
			{Name: "vehicles", Default: 3, Doc: "vehicles that leave out the same phase while its voltage stands"},
		},
		Kinds: []event.Kind{event.KindMeter, event.KindTransaction},
		On:    phasesMeasured,
		Ended: phasesEnded,
		New:   func() any { return new(phaseMemory) },
	}
}

const (
	voltageImbalance = "voltageImbalance"
	leastPhaseA      = 5.0 // less than cars charge with at least (IEC 61851: 6 A)
)

type phaseMemory struct {
	Now *phaseNow `json:"now,omitempty"`
	// Without are the charges in a row that left out the phase.
	Phase   int      `json:"phase,omitempty"` // 1 to 3
	Without []string `json:"without,omitempty"`
}

// phaseNow is the running charge.
type phaseNow struct {
	Tx string `json:"tx"`
	// Since when each state lasts, as Told; a gap of measurements ends them.
	Left    time.Time `json:"left,omitzero"` // a phase carries nothing
	Phase   int       `json:"phase,omitempty"`
	Sagged  time.Time `json:"sagged,omitzero"` // a voltage is gone
	Sag     int       `json:"sag,omitempty"`
	Uneven  time.Time `json:"uneven,omitzero"` // the voltages are apart
	Full    time.Time `json:"full,omitzero"`   // all phases carry
	Even    time.Time `json:"even,omitzero"`   // the voltages are together
	At      time.Time `json:"at,omitzero"`
	WasLeft bool      `json:"wasLeft,omitempty"`
}

func phasesMeasured(c *detect.Context, e *event.Event) {
	tx, samples := measuredIn(e)
	if len(samples) == 0 {
		return
	}
	p := metering(c, e, tx)
	if p == nil || p.DC() || p.Phases != 0 && p.Phases < 3 { // it has no others to lose
		return
	}
	for i := range samples {
		r := read(samples[i].Values)
		amps, volts := whole3(&r.amps), whole3(&r.volts)
		if amps || volts {
			phasesOf(c, p, &r, amps, volts, measuredAt(e, samples, i))
		}
	}
}

func whole3(v *[3]float64) bool { return told(v[0]) && told(v[1]) && told(v[2]) }

func phasesOf(c *detect.Context, p *detect.Port, r *reading, amps, volts bool, at time.Time) {
	m := detect.Memory[phaseMemory](c, p.EVSE)
	n := m.Now
	if n == nil || n.Tx != p.Tx.ID {
		n = &phaseNow{Tx: p.Tx.ID}
		m.Now = n
	}
	if at.Sub(n.At) > 20*time.Minute {
		*n = phaseNow{Tx: n.Tx, WasLeft: n.WasLeft}
	}
	n.At = at
	lost, sag, uneven, even := 0, 0, 0.0, false
	strongest := 0.0
	if amps {
		lost, strongest = phaseLeft(c, &r.amps)
		carries := strongest >= leastPhaseA && min(r.amps[0], r.amps[1], r.amps[2]) > strongest*c.Param("flows")/100
		lasting(&n.Full, carries, at)
	}
	if volts {
		sag, uneven = voltsOf(c, &r.volts)
		// One phase alone under load pulls its own voltage down.
		alone := amps && strongest >= leastPhaseA && n.Full.IsZero()
		even = sag == 0 && uneven <= c.Param("imbalance")
		lasting(&n.Uneven, sag == 0 && uneven > c.Param("imbalance") && !alone, at)
		lasting(&n.Even, even, at)
	}
	if lost != n.Phase {
		n.Left = time.Time{}
	}
	n.Phase = lost
	lasting(&n.Left, lost > 0, at)
	if sag != n.Sag {
		n.Sagged = time.Time{}
	}
	n.Sag = sag
	lasting(&n.Sagged, sag > 0, at)
	phasesJudge(c, p, m, r, uneven, at)
}

// lasting notes since when a state lasts.
func lasting(since *time.Time, is bool, at time.Time) {
	switch {
	case !is:
		*since = time.Time{}
	case since.IsZero():
		*since = at
	}
}

// phaseLeft returns the phase that carries nothing while both others do.
func phaseLeft(c *detect.Context, amps *[3]float64) (lost int, strongest float64) {
	strongest = max(amps[0], amps[1], amps[2])
	if strongest < leastPhaseA {
		return 0, strongest
	}
	for i, a := range amps {
		b, d := amps[(i+1)%3], amps[(i+2)%3]
		if a < strongest*c.Param("gone")/100 && min(b, d) > strongest*c.Param("flows")/100 {
			return i + 1, strongest
		}
	}
	return 0, strongest
}

// voltsOf returns the phase whose voltage is gone, or how far they are apart in
// percent.
func voltsOf(c *detect.Context, volts *[3]float64) (sag int, imbalance float64) {
	for i, v := range volts {
		others := (volts[(i+1)%3] + volts[(i+2)%3]) / 2
		if others > 50 && v < others*c.Param("sag")/100 {
			return i + 1, 0
		}
	}
	mean := (volts[0] + volts[1] + volts[2]) / 3
	if mean < 50 {
		return 0, 0
	}
	for _, v := range volts {
		imbalance = max(imbalance, 100*math.Abs(v-mean)/mean)
	}
	return 0, imbalance
}

func phasesJudge(c *detect.Context, p *detect.Port, m *phaseMemory, r *reading, uneven float64, at time.Time) {
	n, wait := m.Now, c.Minutes("minutes")
	lasts := func(since time.Time) bool { return !since.IsZero() && at.Sub(since) >= wait }
	open, apart := c.Station.IsOpen("phaseLoss", p.EVSE), c.Station.IsOpen(voltageImbalance, 0) // of the supply: all ports have it
	switch {
	case lasts(n.Sagged) && !open:
		phaseRaise(c, p, n.Sag, n.Sagged, r, c.Say("Phase L%d is gone: %.0f V where the others have %.0f V.",
			n.Sag, r.volts[n.Sag-1], (r.volts[n.Sag%3]+r.volts[(n.Sag+1)%3])/2))
	case lasts(n.Full) && n.Sagged.IsZero():
		m.Without, m.Phase = nil, 0
		if open {
			c.Clear("phaseLoss", p.EVSE, phaseFacts(r, n.Full)...)
		}
	case lasts(n.Left):
		n.WasLeft = true
		phaseWithout(c, p, m, r)
	}
	if lasts(n.Uneven) && !apart {
		facts := append([]event.Fact{detect.Value("imbalance", uneven, "Percent")}, phaseFacts(r, n.Uneven)...)
		c.Raise(0, event.Finding{
			Code: voltageImbalance, Severity: event.S2, Since: n.Uneven,
			Text:  c.Say("The voltages are %.1f %% apart: %.0f, %.0f and %.0f V.", uneven, r.volts[0], r.volts[1], r.volts[2]),
			Facts: facts, Shared: commonWith(c.Station),
		})
	}
	if apart && !n.Even.IsZero() && at.Sub(n.Even) >= 3*wait {
		c.Clear(voltageImbalance, 0, phaseFacts(r, n.Even)...)
	}
}

// phaseWithout counts the vehicles in a row that left out the same phase.
func phaseWithout(c *detect.Context, p *detect.Port, m *phaseMemory, r *reading) {
	if m.Phase != m.Now.Phase {
		m.Phase, m.Without = m.Now.Phase, nil
	}
	token := p.Tx.Token
	if token == "" {
		token = "tx " + p.Tx.ID
	}
	for _, t := range m.Without {
		if t == token {
			return
		}
	}
	m.Without = keepLast(m.Without, token, 8)
	if float64(len(m.Without)) < c.Param("vehicles") || c.Station.IsOpen("phaseLoss", p.EVSE) {
		return
	}
	phaseRaise(c, p, m.Phase, m.Now.Left, r, c.Say("Phase L%d carries no current: %.0f, %.0f and %.0f A; %s in a row left it out.",
		m.Phase, r.amps[0], r.amps[1], r.amps[2], detect.Count{N: float64(len(m.Without)), Unit: "vehicle"}))
}

func phaseRaise(c *detect.Context, p *detect.Port, phase int, from time.Time, r *reading, text string) {
	c.Raise(p.EVSE, event.Finding{
		Severity: event.S2, Since: from, Text: text,
		Facts:  append([]event.Fact{detect.Word("phase", fmt.Sprintf("L%d", phase))}, phaseFacts(r, from)...),
		Shared: commonWith(c.Station),
	})
}

func phaseFacts(r *reading, from time.Time) []event.Fact {
	var out []event.Fact
	for i, name := range [3]string{"L1", "L2", "L3"} {
		if told(r.amps[i]) {
			out = append(out, detect.Value("current"+name, r.amps[i], "A"))
		}
		if told(r.volts[i]) {
			out = append(out, detect.Value("voltage"+name, r.volts[i], "V"))
		}
	}
	return append(out, since(from))
}

func phasesEnded(c *detect.Context, t *detect.Ended) {
	m := detect.Recall[phaseMemory](c, t.Port.EVSE)
	if m == nil {
		return
	}
	if m.Now = nil; len(m.Without) == 0 {
		c.Forget(t.Port.EVSE)
	}
}
