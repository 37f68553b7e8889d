package health

import (
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// powerDrift is D10: a DC port that gives less than it used to.
//
// The share of its offer that each charge got is followed by two control charts
// after the first twenty: the exponentially weighted moving average (Roberts
// 1959; Montgomery, Introduction to Statistical Quality Control, 9.2) for small
// lasting drops, and the cumulative sum (Page 1954) for those that grow. Limits
// are wider by the error of what was learnt, and a run of modest cars is told
// from a weak port by its signs: none of the last fourteen charges may have been
// as good as half of all were, or none of the last nine as three quarters were. From each share that of the same
// model on the same day is taken off, so that weather, cars and firmware that
// all have in common are no fault of this port.
func powerDrift() detect.Detector {
	return detect.Detector{
		ID: "D10", Code: "powerDrift",
		Params: []detect.Param{
			{Name: "learn", Default: 20, Doc: "charges from which the normal is learnt"},
			{Name: "lambda", Default: 0.2, Doc: "weight of the newest charge in the average"},
			{Name: "sigmas", Default: 3, Doc: "standard deviations of the average below the normal"},
			{Name: "slack", Default: 0.5, Doc: "standard deviations that the cumulative sum forgives each charge"},
			{Name: "sum", Default: 5, Doc: "standard deviations that may add up"},
			{Name: "drop", Default: 12, Unit: "Percent", Doc: "the least drop that matters"},
			{Name: "vehicles", Default: 3, Doc: "vehicles among the last six low charges"},
		},
		Ended: driftEnded,
		New:   func() any { return new(driftMemory) },
	}
}

type driftMemory struct {
	Learnt []gained  `json:"learnt,omitempty"`
	Own    chart     `json:"own,omitzero"`     // of the bare share
	Beside chart     `json:"beside,omitzero"`  // of the share less that of the model
	Tokens []string  `json:"tokens,omitempty"` // of the last six below the median since then
	Since  time.Time `json:"since,omitzero"`   // when the sum last began to grow
	Level  float64   `json:"level,omitempty"`  // average of the bare share, for people
}

type gained struct {
	X    float32 `json:"x"`
	Ref  float32 `json:"ref,omitempty"`
	With bool    `json:"with,omitempty"` // Ref is known
}

// chart is a control chart for a drop.
type chart struct {
	N     int     `json:"n,omitempty"` // charges it was learnt from; 0: not yet
	Mean  float64 `json:"mean,omitempty"`
	Sigma float64 `json:"sigma,omitempty"`
	Avg   float64 `json:"avg,omitempty"`   // moving average
	Sum   float64 `json:"sum,omitempty"`   // cumulative sum, in sigmas
	Half  float64 `json:"half,omitempty"`  // the median
	Above uint16  `json:"above,omitempty"` // which of the last charges were above it, one bit each
	Low   float64 `json:"low,omitempty"`   // the lower quartile
	Over  uint16  `json:"over,omitempty"`  // which of the last charges were above that
}

// A run of modest cars: fourteen below the median come once in sixteen thousand
// charges, nine below the lower quartile still less often.
const (
	halfRun = 1<<14 - 1
	lowRun  = 1<<9 - 1
)

// leastSigma keeps meters' noise from being taken for the port's.
const leastSigma = 0.02

func (k *chart) learn(v []float64) {
	n, fresh := float64(len(v)), k.N == 0
	mean, square := 0.0, 0.0
	for _, x := range v {
		mean += x / n
	}
	for _, x := range v {
		square += (x - mean) * (x - mean)
	}
	k.N, k.Mean, k.Sigma, k.Half = len(v), mean, max(leastSigma, math.Sqrt(square/(n-1))), median(v)
	k.Low = quantile(v, 0.25)
	if fresh {
		k.Avg, k.Above, k.Over = mean, halfRun, lowRun
	}
}

// take follows one charge. In the sum odd ones count as three sigmas.
func (k *chart) take(x float64, c *detect.Context) (out bool) {
	lambda := c.Param("lambda")
	z := min(3, max(-3, (x-k.Mean)/k.Sigma))
	k.Avg = (1-lambda)*k.Avg + lambda*x
	k.Sum = max(0, k.Sum-z-c.Param("slack")-1/math.Sqrt(float64(k.N)))
	k.Above <<= 1
	if x >= k.Half {
		k.Above |= 1
	}
	k.Over <<= 1
	if x >= k.Low {
		k.Over |= 1
	}
	out = k.Mean-k.Avg > c.Param("sigmas")*k.width(lambda) || k.Sum > c.Param("sum")
	return out && (k.Above&halfRun == 0 || k.Over&lowRun == 0)
}

// width is the standard deviation of the average about what was learnt.
func (k *chart) width(lambda float64) float64 {
	return k.Sigma * math.Sqrt(lambda/(2-lambda)+1/float64(k.N))
}

func driftEnded(c *detect.Context, t *detect.Ended) {
	diary := detect.RecallOf[powerMemory](c.Station, "D09", t.Port.EVSE)
	if diary == nil || len(diary.Past) == 0 {
		return
	}
	s := &diary.Past[len(diary.Past)-1]
	if !s.At.Equal(c.Now) || s.W <= 0 || s.Excused || s.LimitW <= 0 {
		return
	}
	x := s.W / s.LimitW
	m := detect.Memory[driftMemory](c, t.Port.EVSE)
	ref, with := modelShare(c, t.Port.EVSE)
	learn := max(5, min(int(c.Param("learn")), 60))
	if m.Own.N < 3*learn && m.calm() {
		m.Learnt = append(m.Learnt, gained{X: float32(x), Ref: float32(ref), With: with})
		if len(m.Learnt)%learn == 0 {
			m.learn(3 * learn)
		}
		if m.Own.N < 2*learn && len(m.Learnt) <= learn {
			return
		}
	}
	k, v := &m.Own, x
	if with && m.Beside.N > 0 {
		k, v = &m.Beside, x-ref
	}
	if k.Sum == 0 {
		m.Since, m.Tokens = c.Now, nil
	}
	out := k.take(v, c)
	if v < k.Half {
		m.Tokens = keepLast(m.Tokens, s.Token, 6)
	}
	driftJudge(c, t.Port.EVSE, m, k, out)
}

// calm reports that nothing is on the way that must not be learnt as normal.
func (m *driftMemory) calm() bool { return m.Own.Sum < 2 && m.Beside.Sum < 2 }

// learn takes what was seen so far for normal: first what there is, later more
// and better.
func (m *driftMemory) learn(enough int) {
	var own, beside []float64
	for _, s := range m.Learnt {
		own = append(own, float64(s.X))
		if s.With {
			beside = append(beside, float64(s.X-s.Ref))
		}
	}
	m.Own.learn(own)
	if len(beside)*4 >= len(own)*3 {
		m.Beside.learn(beside)
	}
	if len(own) >= enough {
		m.Learnt = nil
	}
}

func driftJudge(c *detect.Context, evse int, m *driftMemory, k *chart, out bool) {
	drop := k.Mean - k.Avg
	if c.Station.IsOpen("powerDrift", evse) {
		if drop < c.Param("sigmas")*k.width(c.Param("lambda"))/2 && drop < m.Own.Mean*c.Param("drop")/200 {
			k.Sum = 0
			c.Clear("powerDrift", evse, detect.Value("ratio", 100*(m.Own.Mean-drop), "Percent"), detect.Value("baseline", 100*m.Own.Mean, "Percent"))
		}
		return
	}
	vehicles := drivers(m.Tokens, func(s *string) string { return *s })
	if !out || drop < m.Own.Mean*c.Param("drop")/100 || float64(vehicles) < c.Param("vehicles") {
		return
	}
	now := m.Own.Mean - drop
	facts := []event.Fact{
		detect.Value("ratio", 100*now, "Percent"), detect.Value("baseline", 100*m.Own.Mean, "Percent"),
		detect.Value("sigma", 100*k.Sigma, "Percent"), detect.Value("vehicles", float64(vehicles), ""), since(m.Since),
	}
	text := c.Say("Cars get %.0f %% of what the port offers, down from %.0f %%.", 100*now, 100*m.Own.Mean)
	if k == &m.Beside {
		text += " " + c.Say("Others of the model are as before.")
	}
	c.Raise(evse, event.Finding{Severity: event.S3, Since: m.Since, Text: text, Facts: facts, Shared: commonWith(c.Station)})
}

// modelShare is the median share of the offer that charges at other stations of
// the model got within the day, or within the week where the day had too few.
func modelShare(c *detect.Context, evse int) (ref float64, ok bool) {
	p := c.Station.Port(evse)
	if p == nil || c.Station.Model == "" {
		return 0, false
	}
	var day, week []float64
	for st := range c.Network().Stations() {
		if st == c.Station || st.Model != c.Station.Model || st.Vendor != c.Station.Vendor {
			continue
		}
		for i := range st.Ports {
			o := &st.Ports[i]
			m := detect.RecallOf[powerMemory](st, "D09", o.EVSE)
			if m == nil || o.RatedW != p.RatedW {
				continue
			}
			for j := range m.Past {
				s := &m.Past[j]
				if s.W <= 0 || s.LimitW <= 0 || s.Excused || c.Now.Sub(s.At) > powerAged {
					continue
				}
				week = append(week, s.W/s.LimitW)
				if c.Now.Sub(s.At) <= 24*time.Hour {
					day = append(day, s.W/s.LimitW)
				}
			}
		}
	}
	const enough = 8
	if len(day) >= enough {
		return median(day), true
	}
	if len(week) >= enough {
		return median(week), true
	}
	return 0, false
}
