package health

import (
	"math"
	"strconv"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// connectorHeat is D12: a plug or cable that gets too hot, and one whose
// contacts get worse long before that.
//
// What a contact warms up by is its resistance times the square of the current
// (Joule), so the rise above the air, brought to the rated current, stays the
// same whatever cars take: 30 % more means 30 % more resistance. A few kelvin
// that the air is wrong by are many at rated current, so it is taken from the
// newest reading of the site, what flowed before the first reading is reckoned
// in, and what a plug still had from the driver before is taken off. The trend is
// the median of pairwise slopes (Sen 1968), which single odd sessions do not move.
func connectorHeat() detect.Detector {
	return detect.Detector{
		ID: "D12", Code: "connectorHeat",
		Params: []detect.Param{
			{Name: "warn", Default: 70, Unit: "Celsius", Doc: "a plug this hot needs a look"},
			{Name: "critical", Default: 90, Unit: "Celsius", Doc: "a plug this hot is urgent"},
			{Name: "rise", Default: 30, Unit: "Percent", Doc: "more heating at the same current than when it was learnt"},
			{Name: "kelvin", Default: 5, Unit: "K", Doc: "the least such rise at rated current that matters"},
			{Name: "load", Default: 60, Unit: "Percent", Doc: "of the rated current from which heating is judged"},
			{Name: "settle", Default: 10, Unit: "min", Doc: "under that load before heating is judged"},
			{Name: "learn", Default: 10, Doc: "sessions from which normal heating is learnt"},
			{Name: "vehicles", Default: 3, Doc: "vehicles among the last five sessions"},
		},
		Kinds: []event.Kind{event.KindMeter, event.KindTransaction, event.KindComponent},
		On:    heatMeasured,
		Ended: heatSessionEnded,
		New:   func() any { return new(heatMemory) },
	}
}

const (
	contactRise = "contactResistance"
	// heatTau is about how long a plug takes to follow its current.
	heatTau = 5 * time.Minute
	// A plug that was left alone for this long is as warm as the air.
	heatIdle = 45 * time.Minute
	// Air that was measured at another time or port counts for this long: on a
	// spring morning it warms by two kelvin an hour.
	airLasts = time.Hour

	heatSessions = 40
	heatRecent   = 5
)

type heatMemory struct {
	Now      *heatNow      `json:"now,omitempty"`
	Past     []heatSession `json:"past,omitempty"`
	Baseline float64       `json:"baseline,omitempty"` // K at rated current
	Spread   float64       `json:"spread,omitempty"`   // of single charges about it
	Cool     int           `json:"cool,omitempty"`     // loaded sessions in a row that stayed cool
	AirC     float64       `json:"airC,omitempty"`     // of the station
	AirAt    time.Time     `json:"airAt,omitzero"`
}

// heatNow is the running session.
type heatNow struct {
	Tx      string    `json:"tx"`
	At      time.Time `json:"at"`
	AirC    float64   `json:"airC,omitempty"`
	HasAir  bool      `json:"hasAir,omitempty"`
	First   heatFirst `json:"first,omitzero"`
	LastC   float64   `json:"lastC"`
	MaxC    float64   `json:"maxC"`
	Amps    float64   `json:"amps,omitempty"`
	Square  float64   `json:"square,omitempty"` // of the share of rated current, as the plug feels it
	LoadFor float64   `json:"loadFor,omitempty"`
	Rises   float64   `json:"rises,omitempty"`   // sum of rise times square: least squares through the origin
	Squares float64   `json:"squares,omitempty"` // sum of squares of the square
	N       int       `json:"n,omitempty"`
}

// heatFirst is the first reading of a session.
type heatFirst struct {
	At     time.Time `json:"at"`
	C      float64   `json:"c"`
	Square float64   `json:"square,omitempty"` // by what flowed before it
	Idle   bool      `json:"idle,omitempty"`   // the plug was as warm as the air when the session began
}

type heatSession struct {
	At    time.Time `json:"at"`
	Token string    `json:"token,omitempty"`
	K     float64   `json:"k"`
}

func heatMeasured(c *detect.Context, e *event.Event) {
	if b, ok := e.Body.(*event.Component); ok {
		heatTold(c, b)
		return
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
		r := read(samples[i].Values)
		if told(r.plugC) {
			heatOf(c, p, &r, measuredAt(e, samples, i))
		}
	}
}

// heatTold reads temperatures that OCPP 2.x tells by component.
func heatTold(c *detect.Context, b *event.Component) {
	for i := range b.Items {
		item := &b.Items[i]
		if item.Variable != "Temperature" {
			continue
		}
		v, err := strconv.ParseFloat(item.Value, 64)
		if err != nil || v < -60 || v > 250 {
			continue
		}
		switch item.Component {
		case "ExternalTemperatureSensor":
			m := detect.Memory[heatMemory](c, 0)
			m.AirC, m.AirAt = v, c.Now
		case "Connector", "TemperatureSensor":
			if p := c.Station.Port(item.EVSE); p != nil && p.Tx != nil && item.Connector > 0 {
				r := read(nil)
				r.plugC = v
				if a := p.Tx.Live.CurrentA; a != nil {
					r.currentA = *a
				}
				heatOf(c, p, &r, c.Now)
			}
		}
	}
}

func heatOf(c *detect.Context, p *detect.Port, r *reading, at time.Time) {
	m := detect.Memory[heatMemory](c, p.EVSE)
	rated := ratedAmps(p, r)
	n := m.Now
	if n == nil || n.Tx != p.Tx.ID {
		n = &heatNow{Tx: p.Tx.ID, At: at, LastC: r.plugC, MaxC: r.plugC, First: heatFirst{At: at, C: r.plugC}}
		since := at.Sub(p.Tx.StartedAt)
		if told(r.currentA) && rated > 0 && since > 0 {
			n.Square = square(r.currentA/rated) * heatFollows(since)
			n.First.Square = n.Square
		}
		n.First.Idle = since <= 2*time.Minute && p.Tx.StartedAt.Sub(p.EndedAt.Time()) >= heatIdle
		n.AirC, n.HasAir = airAround(c, m, n)
		m.Now = n
	}
	dt := at.Sub(n.At)
	if told(r.currentA) && rated > 0 && dt > 0 && dt <= 15*time.Minute {
		// The current of the time since the last sample is the mean of both.
		n.Square += (square((n.Amps+r.currentA)/2/rated) - n.Square) * heatFollows(dt)
	}
	load := c.Param("load") / 100
	switch {
	case !told(r.currentA), rated > 0 && r.currentA < load*rated, rated == 0 && r.currentA < 10:
		n.LoadFor = 0
	default:
		n.LoadFor += min(dt, 15*time.Minute).Minutes()
	}
	if told(r.currentA) {
		n.Amps = r.currentA
	}
	if n.HasAir && n.LoadFor >= c.Param("settle") && n.Square > load*load/2 {
		n.warmed(r.plugC, at)
	}
	n.MaxC = max(n.MaxC, r.plugC)
	heatLimits(c, p, m, r, at)
	n.LastC, n.At = r.plugC, at
}

// warmed takes what the plug has warmed up by and what it felt for that. A plug
// that began as warm as the air tells both by its first reading; of another one
// what is left of what it began with is taken off.
func (n *heatNow) warmed(plugC float64, at time.Time) {
	rise, felt := plugC-n.First.C, n.Square-n.First.Square
	if !n.First.Idle {
		left := 1 - heatFollows(at.Sub(n.First.At))
		rise, felt = plugC-n.AirC-(n.First.C-n.AirC)*left, n.Square-n.First.Square*left
	}
	n.Rises += rise * felt
	n.Squares += square(felt)
	n.N++
}

// heatFollows is how far a plug has come towards what its current means.
func heatFollows(d time.Duration) float64 { return 1 - math.Exp(-d.Seconds()/heatTau.Seconds()) }

func square(x float64) float64 { return x * x }

// heatLimits holds the plug against the absolute limits. One sample alone may
// be a sensor's whim.
func heatLimits(c *detect.Context, p *detect.Port, m *heatMemory, r *reading, at time.Time) {
	n := m.Now
	warn, critical := c.Param("warn"), c.Param("critical")
	if r.plugC < warn || n.LastC < warn || at.Equal(n.At) {
		return
	}
	m.Cool = 0
	severity, limit := event.S3, warn
	if r.plugC >= critical {
		severity, limit = event.S2, critical
	} else if c.Station.IsOpen("connectorHeat", p.EVSE) {
		return
	}
	facts := []event.Fact{
		detect.Value("temperature", r.plugC, "Celsius"), detect.Value("limit", limit, "Celsius"), since(n.At),
	}
	text := c.Say("The plug is at %.0f °C, limit %.0f °C.", r.plugC, limit)
	if told(r.currentA) {
		facts = append(facts, detect.Value("current", r.currentA, "A"))
		text = c.Say("The plug is at %.0f °C, limit %.0f °C, with %.0f A.", r.plugC, limit, r.currentA)
	}
	c.Raise(p.EVSE, event.Finding{Severity: severity, Text: text, Facts: facts, Shared: commonWith(c.Station)})
}

// airAround finds how warm the air is when a session begins: by the plug itself if
// it was left alone, else by the newest of the site, be it a sensor for it or a
// plug.
func airAround(c *detect.Context, m *heatMemory, n *heatNow) (air float64, ok bool) {
	own := detect.Memory[heatMemory](c, 0)
	if n.First.Idle {
		air := n.First.C - m.Baseline*n.First.Square
		if known := m.Baseline > 0 || n.First.Square < 0.02; known && (own.AirAt.IsZero() || c.Now.Sub(own.AirAt) > 10*time.Minute) {
			own.AirC, own.AirAt = air, c.Now
		}
		return air, true
	}
	var at time.Time
	for st := range c.Network().Site(c.Station.SiteID) {
		if o := detect.RecallOf[heatMemory](st, "D12", 0); o != nil && o.AirAt.After(at) {
			air, at = o.AirC, o.AirAt
		}
	}
	if own.AirAt.After(at) {
		air, at = own.AirC, own.AirAt
	}
	return air, !at.IsZero() && c.Now.Sub(at) <= airLasts
}

// ratedAmps is the current that the port is built for: what the cable is
// offered, else what its power means; 0 if nothing is known.
func ratedAmps(p *detect.Port, r *reading) float64 {
	switch {
	case p.RatedW <= 0 && told(r.offeredA) && r.offeredA > 0:
		return r.offeredA
	case p.RatedW <= 0:
		return 0
	case p.DC():
		return min(500, p.RatedW/400)
	case p.RatedW <= 7400:
		return p.RatedW / 230
	}
	return p.RatedW / 230 / 3
}

func heatSessionEnded(c *detect.Context, t *detect.Ended) {
	evse := t.Port.EVSE
	m := detect.Recall[heatMemory](c, evse)
	if m == nil || m.Now == nil {
		return
	}
	n := m.Now
	m.Now = nil
	if n.Tx != t.ID {
		return
	}
	if n.MaxC >= c.Param("warn")-5 {
		m.Cool = 0
	} else if n.LoadFor >= c.Param("settle") || n.N > 0 {
		m.Cool++
		if m.Cool >= 2 {
			c.Clear("connectorHeat", evse, detect.Value("temperature", n.MaxC, "Celsius"), detect.Value("sessions", float64(m.Cool), ""))
		}
	}
	if n.N >= 2 && n.Squares > 0 {
		m.Past = keepLast(m.Past, heatSession{At: c.Now, Token: t.Token, K: n.Rises / n.Squares}, heatSessions)
		heatTrend(c, evse, m)
	}
	if len(m.Past) == 0 && !c.Station.IsOpen("connectorHeat", evse) {
		c.Forget(evse)
	}
}

// heatTrend compares what the last sessions warmed the contacts by with what
// was normal when it was learnt.
func heatTrend(c *detect.Context, evse int, m *heatMemory) {
	of := func(list []heatSession) []float64 {
		out := make([]float64, len(list))
		for i := range list {
			out[i] = list[i].K
		}
		return out
	}
	learn := int(c.Param("learn"))
	if m.Baseline == 0 {
		if len(m.Past) >= max(3, min(learn, heatSessions)) {
			m.Baseline, m.Spread = median(of(m.Past)), spread(of(m.Past))
		}
		return
	}
	if len(m.Past) < heatRecent {
		return
	}
	recent := m.Past[len(m.Past)-heatRecent:]
	now, rise := median(of(recent)), c.Param("rise")/100
	if c.Station.IsOpen(contactRise, evse) {
		fine := 0
		for _, s := range recent[heatRecent-3:] {
			if s.K < m.Baseline*(1+rise/2) {
				fine++
			}
		}
		if fine >= 2 {
			c.Clear(contactRise, evse, detect.Value("heating", recent[heatRecent-1].K, "K"), detect.Value("baseline", m.Baseline, "K"))
		}
		return
	}
	vehicles := drivers(recent, func(s *heatSession) string { return s.Token })
	for _, s := range recent {
		if s.K < m.Baseline*(1+rise/2) {
			return // contacts do not heal
		}
	}
	if now < m.Baseline*(1+rise) || now-m.Baseline < max(c.Param("kelvin"), 3*m.Spread) || float64(vehicles) < c.Param("vehicles") {
		return
	}
	slope := senSlope(of(m.Past))
	c.Raise(evse, event.Finding{
		Code: contactRise, Severity: event.S3,
		Text: c.Say("The contacts warm up by %.0f K at rated current, %.0f %% more than the %.0f K they began with.",
			now, 100*(now/m.Baseline-1), m.Baseline),
		Facts: []event.Fact{
			detect.Value("heating", now, "K"), detect.Value("baseline", m.Baseline, "K"), detect.Value("ratio", 100*now/m.Baseline, "Percent"),
			detect.Value("slope", 10000*slope/m.Baseline, "Percent/100 sessions"),
			detect.Value("sessions", float64(len(m.Past)), ""), detect.Value("vehicles", float64(vehicles), ""), since(recent[0].At),
		},
		Shared: commonWith(c.Station),
	})
}
