package health

import (
	"encoding/json"
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// derated is D09: a DC port that gives much less than it offers and than cars
// take elsewhere. It also keeps the diary of sessions that D10 and D11 read.
//
// Every second charge is slower than the port could be, by the car's doing, so
// only the middle of the battery counts, and what cars take at other ports of
// that power is what is expected of them unless the car itself said more.
func derated() detect.Detector {
	return detect.Detector{
		ID: "D09", Code: "derated",
		Params: []detect.Param{
			{Name: "ratio", Default: 60, Unit: "Percent", Doc: "of what is expected; less is derated"},
			{Name: "sessions", Default: 4, Doc: "derated sessions among the last ones"},
			{Name: "of", Default: 6, Doc: "how many last sessions are looked at"},
			{Name: "vehicles", Default: 3, Doc: "vehicles that were derated"},
			{Name: "socFrom", Default: 10, Unit: "Percent", Doc: "state of charge from which power is judged"},
			{Name: "socTo", Default: 55, Unit: "Percent", Doc: "state of charge up to which power is judged"},
			{Name: "cold", Default: 3, Unit: "Celsius", Doc: "a station this cold explains slow charging"},
			{Name: "modest", Default: 40000, Unit: "W", Doc: "what nearly every car takes, where nothing better is known"},
		},
		Kinds: []event.Kind{event.KindMeter, event.KindTransaction, event.KindMessage, event.KindCommand, event.KindCommandResult},
		On:    powerMeasured,
		Ended: powerSessionEnded,
		New:   func() any { return new(powerMemory) },
	}
}

const (
	// powerSessions is how long the diary of a port is.
	powerSessions = 24
	// powerAged is how old a session may be that others are compared with.
	powerAged = 7 * 24 * time.Hour
	// A session is judged by so many samples over so much time.
	powerSamples = 4
	powerFor     = 3 * time.Minute
)

// powerMemory is the diary of a port; the station's (EVSE 0) holds its limits.
type powerMemory struct {
	Now    *powerNow      `json:"now,omitempty"`
	Past   []powerSession `json:"past,omitempty"`
	Limits limits         `json:"limits,omitzero"`
}

// powerNow is the running session.
type powerNow struct {
	Tx      string    `json:"tx"`
	From    time.Time `json:"from,omitzero"` // of the first sample that counts
	To      time.Time `json:"to,omitzero"`
	W       few       `json:"w,omitzero"`
	LimitW  float64   `json:"limitW,omitempty"` // the lowest of what was offered
	OfferW  float64   `json:"offerW,omitempty"` // the highest offer told
	TopW    float64   `json:"topW,omitempty"`   // of the whole session, over two samples
	LastW   float64   `json:"lastW,omitempty"`
	CarW    float64   `json:"carW,omitempty"`  // what the car said it can take
	ColdC   float64   `json:"coldC,omitempty"` // the lowest temperature of the cabinet
	HasCold bool      `json:"hasCold,omitempty"`
	Limited bool      `json:"limited,omitempty"`
	Shared  bool      `json:"shared,omitempty"`
}

// powerSession is one session of the diary.
type powerSession struct {
	At     time.Time `json:"at"`
	Token  string    `json:"token,omitempty"`
	W      float64   `json:"w,omitempty"` // median in the middle of the battery; 0: not judged
	LimitW float64   `json:"limitW,omitempty"`
	OfferW float64   `json:"offerW,omitempty"`
	TopW   float64   `json:"topW,omitempty"`
	CarW   float64   `json:"carW,omitempty"`
	// Excused sessions had a reason: a limit, a shared cabinet or the cold.
	Excused bool `json:"excused,omitempty"`
	Shared  bool `json:"shared,omitempty"`
	Low     bool `json:"low,omitempty"` // D09's judgement when it ended
	Judged  bool `json:"judged,omitempty"`
	// ExpectedW is what D09 held it against.
	ExpectedW float64 `json:"expectedW,omitempty"`
}

func powerMeasured(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Command:
		if limiting(b) {
			m := detect.Memory[powerMemory](c, 0)
			m.Limits.ask(b)
			if m.Limits.empty() {
				c.Forget(0)
			}
		}
		return
	case *event.CommandResult:
		if m := detect.Recall[powerMemory](c, 0); m != nil {
			m.Limits.answer(b)
			if m.Limits.empty() {
				c.Forget(0)
			}
		}
		return
	case *event.Message:
		if b.Action == "NotifyEVChargingNeeds" {
			carNeeds(c, b)
		}
		return
	}
	tx, samples := measuredIn(e)
	if len(samples) == 0 {
		return
	}
	p := metering(c, e, tx)
	if p == nil || p.Current == "AC" {
		return
	}
	for i := range samples {
		r := read(samples[i].Values)
		if told(r.soc) && told(r.powerW) && r.powerW >= 500 {
			powerOf(c, p, &r, measuredAt(e, samples, i))
		}
	}
}

// carNeeds takes what the car says it can take (ISO 15118).
func carNeeds(c *detect.Context, b *event.Message) {
	var in struct {
		EVSE  int `json:"evseId"`
		Needs struct {
			DC *struct {
				Power   float64 `json:"evMaxPower"`
				Current float64 `json:"evMaxCurrent"`
				Voltage float64 `json:"evMaxVoltage"`
			} `json:"dcChargingParameters"`
		} `json:"chargingNeeds"`
	}
	if json.Unmarshal(b.Payload, &in) != nil || in.Needs.DC == nil {
		return
	}
	w := in.Needs.DC.Power
	if w <= 0 {
		w = in.Needs.DC.Current * in.Needs.DC.Voltage
	}
	if p := c.Station.Port(in.EVSE); p != nil && p.Tx != nil && w > 0 && w < 1.5e6 {
		powerRunning(c, p).CarW = w
	}
}

func powerRunning(c *detect.Context, p *detect.Port) *powerNow {
	m := detect.Memory[powerMemory](c, p.EVSE)
	if m.Now == nil || m.Now.Tx != p.Tx.ID {
		m.Now = &powerNow{Tx: p.Tx.ID}
	}
	return m.Now
}

func powerOf(c *detect.Context, p *detect.Port, r *reading, at time.Time) {
	n := powerRunning(c, p)
	offer := p.RatedW
	if told(r.offeredW) && r.offeredW > 0 {
		n.OfferW = max(n.OfferW, r.offeredW)
		if offer == 0 || r.offeredW < offer {
			offer = r.offeredW
		}
	}
	if told(r.bodyC) && (!n.HasCold || r.bodyC < n.ColdC) {
		n.ColdC, n.HasCold = r.bodyC, true
	}
	if sharing(c.Station, p, told(r.offeredW)) {
		n.Shared = true // what is left of the cabinet is not the port's doing
		return
	}
	if m := detect.Recall[powerMemory](c, 0); m != nil && m.Limits.holds(p.EVSE, c.Now) && (p.RatedW == 0 || !told(r.offeredW) || r.offeredW < 0.95*p.RatedW) {
		n.Limited = true
	}
	n.TopW, n.LastW = max(n.TopW, min(n.LastW, r.powerW)), r.powerW
	if r.soc < c.Param("socFrom") || r.soc > c.Param("socTo") {
		return
	}
	if n.LimitW == 0 || offer < n.LimitW {
		n.LimitW = offer
	}
	if n.From.IsZero() {
		n.From = at
	}
	n.To = at
	n.W.add(r.powerW)
}

// sharing reports whether another port takes of the same cabinet.
func sharing(st *detect.Station, p *detect.Port, offerTold bool) bool {
	for i := range st.Ports {
		o := &st.Ports[i]
		if o.EVSE == p.EVSE || o.Tx == nil {
			continue
		}
		if p.Group != "" && o.Group == p.Group || p.Group == "" && !offerTold && o.Current == p.Current {
			return true
		}
	}
	return false
}

func powerSessionEnded(c *detect.Context, t *detect.Ended) {
	if own := detect.Recall[powerMemory](c, 0); own != nil {
		own.Limits.ended(t.Port.EVSE)
		if own.Limits.empty() {
			c.Forget(0)
		}
	}
	m := detect.Recall[powerMemory](c, t.Port.EVSE)
	if m == nil || m.Now == nil {
		return
	}
	n := m.Now
	m.Now = nil
	if n.Tx != t.ID {
		return
	}
	s := powerSession{
		At: c.Now, Token: t.Token, LimitW: n.LimitW, OfferW: n.OfferW, TopW: n.TopW, CarW: n.CarW, Shared: n.Shared,
		Excused: n.Limited || n.HasCold && n.ColdC <= c.Param("cold"),
	}
	if len(n.W.V) >= powerSamples && n.To.Sub(n.From) >= powerFor && n.LimitW > 0 {
		s.W = median(n.W.values())
	}
	if s.W > 0 || s.TopW > 0 {
		m.Past = keepLast(m.Past, s, powerSessions)
	}
	if s.W > 0 && !s.Excused {
		judgePower(c, t.Port, m)
	}
	if len(m.Past) == 0 {
		c.Forget(t.Port.EVSE)
	}
}

// judgePower judges the newest session of the diary and what the last ones make
// of the port.
func judgePower(c *detect.Context, p *detect.Port, m *powerMemory) {
	s := &m.Past[len(m.Past)-1]
	car, toldByCar, chance := s.CarW, s.CarW > 0, 0.0
	if !toldByCar {
		car = c.Param("modest")
		usual := usualPower(c, p)
		if w, ok := usual.typical(); ok {
			car = max(car, w)
			chance = usual.below(min(s.LimitW, car) * c.Param("ratio") / 100)
		}
	}
	s.ExpectedW = min(s.LimitW, car)
	s.Judged, s.Low = true, s.W < s.ExpectedW*c.Param("ratio")/100

	recent := make([]powerSession, 0, powerSessions)
	for i := range m.Past {
		if m.Past[i].Judged {
			recent = append(recent, m.Past[i])
		}
	}
	// Where modest cars are common, a run of them is no wonder: as many have to
	// come as make it one in a hundred thousand.
	sessions := c.Param("sessions")
	if chance > 0 {
		sessions = max(sessions, math.Ceil(math.Log(1e-5)/math.Log(min(0.5, chance))))
	}
	if n := max(int(c.Param("of")), int(sessions)); len(recent) > n {
		recent = recent[len(recent)-n:]
	}
	if c.Station.IsOpen("derated", p.EVSE) {
		if fine := fineAgain(recent, func(x *powerSession) bool { return !x.Low }); fine {
			c.Clear("derated", p.EVSE, detect.Value("delivered", s.W/1000, "kW"), detect.Value("expected", s.ExpectedW/1000, "kW"))
		}
		return
	}
	low := recent[:0:0]
	for i := range recent {
		x := &recent[i]
		switch {
		case x.Low:
			low = append(low, *x)
		case !toldByCar:
			low = low[:0] // a port that gave enough in between can give it
		}
	}
	vehicles := drivers(low, func(x *powerSession) string { return x.Token })
	if float64(len(low)) < sessions || float64(vehicles) < c.Param("vehicles") {
		return
	}
	var gave, expected []float64
	for i := range low {
		gave, expected = append(gave, low[i].W), append(expected, low[i].ExpectedW)
	}
	w, of := median(gave), median(expected)
	c.Raise(p.EVSE, event.Finding{
		Severity: event.S3, Since: low[0].At,
		Text: c.Say("Delivers %.0f kW where %.0f kW are expected, in %d of the last %d charges of %s.",
			w/1000, of/1000, len(low), len(recent), detect.Count{N: float64(vehicles), Unit: "vehicle"}),
		Facts: []event.Fact{
			detect.Value("ratio", 100*w/of, "Percent"), detect.Value("delivered", w/1000, "kW"), detect.Value("expected", of/1000, "kW"),
			detect.Value("sessions", float64(len(low)), ""), detect.Value("vehicles", float64(vehicles), ""), since(low[0].At),
		},
		Shared: commonWith(c.Station),
	})
}

// fineAgain reports whether two of the last three were fine, the newest among
// them.
func fineAgain[T any](list []T, fine func(*T) bool) bool {
	n := 0
	for i := max(0, len(list)-3); i < len(list); i++ {
		if fine(&list[i]) {
			n++
		}
	}
	return n >= 2 && fine(&list[len(list)-1])
}

// usual is what cars take in the middle of their battery at other stations.
type usual struct {
	ports     int
	week, day []float64
}

// typical is the median of the week, if it is of three ports and a dozen charges
// at least, or that of the last day where it is lower: then it is the weather.
func (u *usual) typical() (w float64, ok bool) {
	if u.ports < 3 || len(u.week) < 12 {
		return 0, false
	}
	w = median(u.week)
	if len(u.day) >= 6 {
		w = min(w, median(u.day))
	}
	return w, true
}

// below is the share of charges that take less.
func (u *usual) below(w float64) float64 {
	n := 1.0
	for _, x := range u.week {
		if x < w {
			n++
		}
	}
	return n / float64(len(u.week)+2)
}

// usualPower collects what cars took within a week at the ports of that power
// at other stations.
func usualPower(c *detect.Context, p *detect.Port) (u usual) {
	for st := range c.Network().Stations() {
		if st == c.Station {
			continue
		}
		for i := range st.Ports {
			o := &st.Ports[i]
			if p.RatedW <= 0 || math.Abs(o.RatedW-p.RatedW) > 0.02*p.RatedW || o.Current != p.Current {
				continue
			}
			m := detect.RecallOf[powerMemory](st, "D09", o.EVSE)
			if m == nil {
				continue
			}
			before := len(u.week)
			for j := range m.Past {
				if s := &m.Past[j]; s.W > 0 && !s.Excused && c.Now.Sub(s.At) <= powerAged {
					u.week = append(u.week, s.W)
					if c.Now.Sub(s.At) <= 24*time.Hour {
						u.day = append(u.day, s.W)
					}
				}
			}
			if len(u.week) > before {
				u.ports++
			}
		}
	}
	return u
}
