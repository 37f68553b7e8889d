package pattern

import (
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// Shares is a share of two denominators.
type Shares struct{ Operative, Calendar float64 }

// Spread is how durations are distributed, in seconds.
type Spread struct {
	N                             int
	P10, P25, P50, P75, P90, Mean float64
}

// Tokens is how often the same anonymous token came.
type Tokens struct {
	Tokens, Sessions, Known   int // Known: sessions whose token is known
	Once, Few, Many           int // tokens that came once, two to four times, more often
	OnceSessions, FewSessions int
	ManySessions              int
	TopTenthShare             float64 // of the known sessions, made by the tenth of tokens that came most
}

// Figures is how some ports were used.
type Figures struct {
	Ports    int
	Sessions int
	EnergyWh float64 // NaN: nothing tells of energy

	Occupied, Charging     Shares
	Idle                   float64 // of the occupied time
	Observed               float64 // of the calendar time
	WhPerPortDay, Turnover float64 // of observed ports: energy, and sessions, a day
	AveragePowerW, PeakW   float64
	AllBusy                float64
	Dwell, ChargingTime    Spread
	Tokens                 Tokens
	Tries                  rollup.Tries
}

// Account collects what Figures are taken from.
type Account struct {
	from, to time.Time
	Grid     *rollup.Grid
	sessions int
	energies int // sessions whose energy is known
	dwell    []float32
	charging []float32
	tokens   map[string]int
	tries    rollup.Tries
}

// NewAccount begins an account of some time.
func NewAccount(from, to time.Time) *Account {
	return &Account{from: from, to: to, Grid: rollup.NewGrid(from, to), tokens: make(map[string]int)}
}

// Add takes a day of a place.
func (a *Account) Add(d *rollup.PlaceDay) {
	a.Grid.Add(d)
	a.tries.All += d.Tries.All
	a.tries.Failed += d.Tries.Failed
	a.tries.GaveUp += d.Tries.GaveUp
	a.tries.InVain += d.Tries.InVain
	for i := range d.Visits {
		v := &d.Visits[i]
		if v.Start.Before(a.from) || !v.Start.Before(a.to) {
			continue
		}
		a.sessions++
		if !math.IsNaN(v.EnergyWh) {
			a.energies++
		}
		if v.Token != "" {
			a.tokens[v.Token]++
		}
		if v.Open {
			continue
		}
		a.dwell = append(a.dwell, float32(v.End.Sub(v.Start).Seconds()))
		if !v.ChargingEnd.IsZero() {
			a.charging = append(a.charging, float32(v.ChargingEnd.Sub(v.Start).Seconds()))
		}
	}
}

// Knows reports whether anything tells of energy: there were sessions with it,
// or none at all.
func (a *Account) Knows() bool { return a.energies > 0 || a.sessions == 0 }

// Sessions is how many began.
func (a *Account) Sessions() int { return a.sessions }

// Figures takes the figures.
func (a *Account) Figures() Figures {
	var t tally
	ports, peak := 0, 0.0
	for i := range a.Grid.Cells {
		t.add(a.Grid, i)
		ports = max(ports, int(a.Grid.Ports[i]))
		if a.Grid.Counted[i] == int64(rollup.CellLength/time.Millisecond) {
			peak = max(peak, a.Grid.Cells[i].PowerW())
		}
	}
	shares := func(ms int64) Shares {
		return Shares{ratio(float64(ms), float64(t.operative())), ratio(float64(ms), float64(t.calendar()))}
	}
	const day = float64(24 * time.Hour / time.Millisecond)
	f := Figures{
		Ports: ports, Sessions: a.sessions, EnergyWh: float64(t.MilliWh) / 1000,
		Occupied: shares(t.Occupied()), Charging: shares(t.Millis[rollup.Charging]),
		Idle:     ratio(float64(t.Millis[rollup.Idle]), float64(t.Occupied())),
		Observed: ratio(float64(t.observed()), float64(t.calendar())),
		Turnover: ratio(float64(a.sessions), float64(t.observed())/day),
		AllBusy:  ratio(float64(t.allBusy), float64(t.open)), PeakW: peak,
		WhPerPortDay:  ratio(float64(t.MilliWh)/1000, float64(t.observed())/day),
		AveragePowerW: ratio(float64(t.MilliWh)/1000, float64(t.Millis[rollup.Charging])/float64(time.Hour/time.Millisecond)),
		Dwell:         spread(a.dwell), ChargingTime: spread(a.charging), Tokens: a.frequency(), Tries: a.tries,
	}
	if !a.Knows() { // without energy nobody knows when power flowed either
		unknown := math.NaN()
		f.EnergyWh, f.WhPerPortDay, f.AveragePowerW, f.PeakW, f.Idle = unknown, unknown, unknown, unknown, unknown
		f.Charging = Shares{unknown, unknown}
	}
	return f
}

func spread(values []float32) Spread {
	s := Spread{N: len(values)}
	if s.N == 0 {
		return s
	}
	slices.Sort(values)
	at := func(q float64) float64 { // between neighbours
		x := q * float64(s.N-1)
		i := int(x)
		if i+1 >= s.N {
			return float64(values[s.N-1])
		}
		return float64(values[i]) + (x-float64(i))*float64(values[i+1]-values[i])
	}
	s.P10, s.P25, s.P50, s.P75, s.P90 = at(.1), at(.25), at(.5), at(.75), at(.9)
	for _, v := range values {
		s.Mean += float64(v)
	}
	s.Mean /= float64(s.N)
	return s
}

func (a *Account) frequency() Tokens {
	t := Tokens{Tokens: len(a.tokens), Sessions: a.sessions, TopTenthShare: math.NaN()}
	counts := make([]int, 0, len(a.tokens))
	for _, n := range a.tokens {
		counts = append(counts, n)
		t.Known += n
		switch {
		case n == 1:
			t.Once++
			t.OnceSessions += n
		case n < 5:
			t.Few++
			t.FewSessions += n
		default:
			t.Many++
			t.ManySessions += n
		}
	}
	slices.SortFunc(counts, func(x, y int) int { return y - x })
	top := 0
	for _, n := range counts[:(len(counts)+9)/10] {
		top += n
	}
	t.TopTenthShare = ratio(float64(top), float64(t.Known))
	return t
}

// Uptime is for how long ports were fit to serve.
type Uptime struct {
	Availability   float64 // operative of the observed time
	WithoutPlanned float64 // of the observed time in which nobody had taken them out of service
	Observed       float64 // of the calendar time
}

// UptimeOf takes the uptime of what a cell adds up.
func UptimeOf(c *rollup.Cell) Uptime {
	t := tally{Cell: *c}
	return Uptime{
		Availability:   ratio(float64(t.operative()), float64(t.observed())),
		WithoutPlanned: ratio(float64(t.operative()), float64(t.observed()-t.Millis[rollup.Unavailable])),
		Observed:       ratio(float64(t.observed()), float64(t.calendar())),
	}
}
