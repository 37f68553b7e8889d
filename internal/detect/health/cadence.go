package health

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// meterCadence is D18: measurements that come out of step. The spread of their
// distances grows some days before a controller or its link fails, while each
// single message still looks fine.
//
// The variance of the distances within a charge is held against the one learnt.
// Who sets another interval begins a new baseline, by command or by hand.
func meterCadence() detect.Detector {
	return detect.Detector{
		ID: "D18", Code: "meterCadence",
		Params: []detect.Param{
			{Name: "ratio", Default: 3, Doc: "times the usual variance of the distance between measurements"},
			{Name: "hours", Default: 12, Unit: "h", Doc: "how long it has to last, over several charges"},
			{Name: "learn", Default: 60, Doc: "distances from which the usual variance is learnt"},
			{Name: "samples", Default: 10, Doc: "distances from which a charge is judged"},
			{Name: "noise", Default: 4, Unit: "Percent", Doc: "of the interval; a smaller spread is taken for this"},
		},
		Kinds: []event.Kind{event.KindMeter, event.KindTransaction, event.KindCommand, event.KindCommandResult},
		On:    cadenceHeard,
		Ended: cadenceEnded,
		New:   func() any { return new(cadenceMemory) },
	}
}

// cadenceMemory is of a port; the station's (EVSE 0) waits for the answer to a
// command that sets intervals.
type cadenceMemory struct {
	Asked []string `json:"asked,omitempty"`

	Firmware string `json:"firmware,omitempty"` // with which the usual was learnt

	Now   *cadenceNow `json:"now,omitempty"`
	Base  moments     `json:"base,omitzero"` // in seconds; learnt when N is enough
	Parts int         `json:"parts,omitempty"`
	Wide  moments     `json:"wide,omitzero"` // about the usual mean, since it is wide
	Since time.Time   `json:"since,omitzero"`
	Fine  []bool      `json:"fine,omitempty"`
}

type cadenceNow struct {
	Tx   string    `json:"tx"`
	At   time.Time `json:"at"`
	From time.Time `json:"from"`
	moments
}

// moments sums up distances without keeping them (Welford 1962).
type moments struct {
	N    float64 `json:"n,omitempty"`
	Mean float64 `json:"mean,omitempty"`
	M2   float64 `json:"m2,omitempty"`
}

func (m *moments) add(x float64) {
	m.N++
	d := x - m.Mean
	m.Mean += d / m.N
	m.M2 += d * (x - m.Mean)
}

// join adds the moments of another lot (Chan, Golub and LeVeque 1979).
func (m *moments) join(o moments) {
	if o.N == 0 {
		return
	}
	d, n := o.Mean-m.Mean, m.N+o.N
	m.M2 += o.M2 + d*d*m.N*o.N/n
	m.Mean += d * o.N / n
	m.N = n
}

func (m *moments) variance() float64 { return m.M2 / max(1, m.N-1) }

func cadenceHeard(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Command:
		if setsInterval(b) {
			m := detect.Memory[cadenceMemory](c, 0)
			m.Asked = keepLast(m.Asked, b.CommandID, maxAsked)
		}
		return
	case *event.CommandResult:
		m := detect.Recall[cadenceMemory](c, 0)
		if m == nil {
			return
		}
		if i := slices.Index(m.Asked, b.CommandID); i >= 0 {
			m.Asked = slices.Delete(m.Asked, i, i+1)
			if len(m.Asked) == 0 {
				c.Forget(0)
			}
			if b.Status == "answered" && !strings.Contains(string(b.Response), "Rejected") {
				cadenceAnew(c)
			}
		}
		return
	case *event.Transaction:
		if b.Trigger != "" && b.Trigger != "MeterValuePeriodic" {
			return
		}
	}
	tx, samples := measuredIn(e)
	if len(samples) == 0 {
		return
	}
	p := metering(c, e, tx)
	if p == nil {
		return
	}
	for i := range samples {
		g := &samples[i]
		if len(g.Values) == 0 || g.Values[0].Context != "" && g.Values[0].Context != "Sample.Periodic" {
			continue
		}
		at := g.At
		if at.IsZero() {
			at = e.RecordedAt
		}
		cadenceOf(c, p, at)
	}
}

// setsInterval reports whether a command may set how often is measured.
func setsInterval(b *event.Command) bool {
	switch b.Action {
	case "ChangeConfiguration":
		var in struct {
			Key string `json:"key"`
		}
		return json.Unmarshal(b.Payload, &in) == nil && (strings.Contains(in.Key, "Meter") || strings.Contains(in.Key, "ClockAligned"))
	case "SetVariables":
		return strings.Contains(string(b.Payload), "SampledDataCtrlr") || strings.Contains(string(b.Payload), "AlignedDataCtrlr")
	}
	return false
}

// cadenceAnew forgets what was usual at the ports of the station.
func cadenceAnew(c *detect.Context) {
	for i := range c.Station.Ports {
		evse := c.Station.Ports[i].EVSE
		c.Clear("meterCadence", evse, detect.Word("reason", "intervals were set anew"))
		c.Forget(evse)
	}
}

func cadenceOf(c *detect.Context, p *detect.Port, at time.Time) {
	m := detect.Memory[cadenceMemory](c, p.EVSE)
	n := m.Now
	if n == nil || n.Tx != p.Tx.ID {
		m.Now = &cadenceNow{Tx: p.Tx.ID, At: at, From: c.Now}
		return
	}
	gap := at.Sub(n.At).Seconds()
	if gap <= 0 {
		return // several groups of one moment
	}
	n.At = at
	// A gap in what we hear is not the meter's: it is for the link to explain.
	if n.N >= 3 && gap > 6*n.Mean || gap > 3600 || c.Now.Sub(c.Station.LinkAt.Time()).Seconds() < gap {
		return
	}
	n.add(gap)
}

func cadenceEnded(c *detect.Context, t *detect.Ended) {
	evse := t.Port.EVSE
	m := detect.Recall[cadenceMemory](c, evse)
	if m == nil || m.Now == nil {
		return
	}
	n := m.Now
	m.Now = nil
	if n.Tx != t.ID || n.N < c.Param("samples") || n.Mean <= 0 {
		if m.Base.N == 0 {
			c.Forget(evse)
		}
		return
	}
	learn := c.Param("learn")
	if m.Firmware != c.Station.Firmware {
		c.Clear("meterCadence", evse, detect.Word("reason", "another firmware"))
		*m = cadenceMemory{Firmware: c.Station.Firmware}
	}
	if m.Base.N < learn || m.Parts < 3 {
		if m.Base.N > 0 && math.Abs(n.Mean-m.Base.Mean) > 0.3*m.Base.Mean {
			m.Base, m.Parts = moments{}, 0
		}
		m.Base.join(n.moments)
		m.Parts++
		return
	}
	floor := max(1, c.Param("noise")/100*m.Base.Mean)
	usual := max(m.Base.variance(), floor*floor)
	ratio := n.variance() / usual
	if math.Abs(n.Mean-m.Base.Mean) > 0.3*m.Base.Mean && n.variance()/(n.Mean*n.Mean) <= 2*usual/(m.Base.Mean*m.Base.Mean) {
		c.Clear("meterCadence", evse, detect.Word("reason", "intervals were set anew"))
		*m = cadenceMemory{Base: n.moments, Parts: 1, Firmware: m.Firmware}
		return
	}
	cadenceJudge(c, evse, m, n, usual, ratio)
}

func cadenceJudge(c *detect.Context, evse int, m *cadenceMemory, n *cadenceNow, usual, ratio float64) {
	limit := c.Param("ratio")
	wide := ratio > limit
	if c.Station.IsOpen("meterCadence", evse) {
		m.Fine = keepLast(m.Fine, !wide, 3)
		if fineAgain(m.Fine, func(b *bool) bool { return *b }) {
			c.Clear("meterCadence", evse, detect.Value("ratio", ratio, ""), detect.Value("sessions", 2, ""))
			m.Wide, m.Since, m.Fine = moments{}, time.Time{}, nil
		}
		return
	}
	if !wide {
		m.Wide, m.Since = moments{}, time.Time{}
		return
	}
	if m.Since.IsZero() {
		m.Since = n.From
	}
	m.Wide.join(n.moments)
	lasted := c.Now.Sub(m.Since)
	if lasted.Hours() < c.Param("hours") || m.Wide.N < 2*c.Param("samples") {
		return
	}
	all := m.Wide.variance() / usual
	c.Raise(evse, event.Finding{
		Severity: event.S4, Since: m.Since,
		Text: c.Say("Measurements come every %.0f s give or take %.0f s, for %.0f h; usual is %.0f s give or take %.0f s.",
			m.Wide.Mean, math.Sqrt(m.Wide.variance()), lasted.Hours(), m.Base.Mean, math.Sqrt(m.Base.variance())),
		Facts: []event.Fact{
			detect.Value("ratio", all, ""), detect.Value("interval", m.Wide.Mean, "s"), detect.Value("spread", math.Sqrt(m.Wide.variance()), "s"),
			detect.Value("baseline", math.Sqrt(m.Base.variance()), "s"), detect.Value("samples", m.Wide.N, ""), since(m.Since),
		},
		Shared: commonWith(c.Station),
	})
}
