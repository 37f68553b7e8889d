package demand

import (
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/simulate"
)

// Trend is how demand grows, in logarithms a month.
type Trend struct {
	Months int     // that it stands on
	Slope  float64 // after doubt has drawn it towards none
	Error  float64 // standard error of the slope
	Level  float64 // standard error of the level now
	Start  time.Time
	Given  bool // by a person
}

// LeastMonths is what a trend needs.
const LeastMonths = 4

// Months by which a trend loses half of its force: growth does not go on for
// ever. Quarterly damping of 0.9 and more is what back-tests of damped trends
// settle on; 0.97 a month is in their middle.
const damping = 0.97

// usual is the standard deviation of monthly growth among sites, which a slope
// has to outweigh.
const usual = 0.02

// Given is a growth a year that a person assumes, within a third of it.
func Given(yearly float64, start time.Time) Trend {
	slope := math.Log1p(yearly) / 12
	return Trend{Slope: slope, Error: math.Abs(slope) / 3, Start: start, Given: true}
}

// trend fits monthly demand, as it stands to its own week, with weights by what
// each month tells.
func trend(lines []*line, rates []Rate, to time.Time) Trend {
	type sums struct{ n, m, hours float64 }
	months := make(map[int]*sums)
	for i, l := range lines {
		for _, h := range l.hours {
			local := h.at.In(l.Zone)
			k := local.Year()*12 + int(local.Month()) - 1
			s := months[k]
			if s == nil {
				s = &sums{}
				months[k] = s
			}
			s.n += h.starts
			s.m += rates[i].PerHour[h.how] * h.exposure
			s.hours += h.exposure
		}
	}
	t := Trend{Start: to}
	var w, wx, wy, wxx, wxy float64
	type obs struct{ x, y, w float64 }
	var list []obs
	end := to.Year()*12 + int(to.Month()) - 1
	for k, s := range months {
		if s.hours < 10*24*0.5 || s.n < 10 || s.m <= 0 {
			continue
		}
		// A month varies by about five per cent of itself beyond chance.
		o := obs{float64(k - end), math.Log(s.n / s.m), 1 / (1/s.n + 0.0025)}
		list = append(list, o)
		w += o.w
		wx += o.w * o.x
		wy += o.w * o.y
		wxx += o.w * o.x * o.x
		wxy += o.w * o.x * o.y
	}
	t.Months = len(list)
	if len(list) < LeastMonths {
		t.Error = usual
		return t
	}
	spread := wxx - wx*wx/w
	slope := (wxy - wx*wy/w) / spread
	level := (wy - slope*wx) / w
	rest := 0.0
	for _, o := range list {
		d := o.y - level - slope*o.x
		rest += o.w * d * d
	}
	scale := max(1, rest/float64(len(list)-2))
	variance := scale / spread
	doubt := usual * usual / (usual*usual + variance)
	t.Slope = slope * doubt
	t.Error = math.Sqrt(variance * doubt)
	t.Level = math.Sqrt(scale / w)
	return t
}

// Factor is what demand is after some months to what it is now.
func (t Trend) Factor(months float64) float64 { return math.Exp(t.Slope * damped(months)) }

// damped is how many months of full trend so many months are.
func damped(months float64) float64 {
	return (1 - math.Pow(damping, months)) / (1 - damping) * damping
}

// When is after how many months demand reaches a factor of what it is now, as
// quantiles; +Inf: not within the horizon.
type When struct{ Early, Middle, Late float64 }

// Reach asks when demand reaches a factor: quantiles 10, 50 and 90 % over slopes
// and levels that the months allow.
func (t Trend) Reach(factor, horizon float64, seed uint64) When {
	s := simulate.NewStream(seed, 0, 77)
	const draws = 2001
	at := make([]float64, draws)
	for i := range at {
		slope, level := t.Slope+t.Error*s.Normal(), t.Level*s.Normal()
		at[i] = reach(slope, math.Log(factor)-level, horizon)
	}
	return When{quantile(at, 0.1), quantile(at, 0.5), quantile(at, 0.9)}
}

func reach(slope, need, horizon float64) float64 {
	if need <= 0 {
		return 0
	}
	if slope <= 0 {
		return math.Inf(1)
	}
	x := need / slope * (1 - damping) / damping
	if x >= 1 {
		return math.Inf(1)
	}
	if m := math.Log(1-x) / math.Log(damping); m <= horizon {
		return m
	}
	return math.Inf(1)
}

func quantile(v []float64, p float64) float64 {
	slices.Sort(v)
	return v[int(p*float64(len(v)-1)+0.5)]
}
