package forecast

import (
	"math"
	"slices"
	"time"
)

// Aheads are the times ahead for which the odds of a free port are known.
func Aheads() []time.Duration {
	return []time.Duration{15 * time.Minute, 30 * time.Minute, 45 * time.Minute, 60 * time.Minute}
}

const aheads = 4

// Learning of ports.
const (
	portsWeeks    = 8                // whose hours of the week are averaged
	correctWeeks  = 3                // on which odds are corrected
	correctEvery  = 30 * time.Minute // one of the moments they are corrected on
	leastPortDays = 10               // of observation, below which there are no odds
	surest        = 0.995
	fewStays      = 60 // of a site, below which those elsewhere are learned from too
)

// PortModel says how likely it is that a site will have a free port: those who
// are there leave by their hazard, others come as they come at that hour of the
// week, and the sum is corrected by how such odds have turned out here.
type PortModel struct {
	ports      int
	zone       *time.Location
	departures *Departures
	class      string // of those who come
	arrivals   [week]float64
	free       [week]float64 // share of time with a free port
	correct    [aheads][3]float64
}

// LearnPorts learns from the stays that were known at now and began after `from`,
// since when the site has been observed; nil if that is too short. A port has one
// stay at a time. Where few have left so far, how long they stay is learned from
// those elsewhere too.
func LearnPorts(stays, elsewhere []Stay, ports int, from, now time.Time, zone *time.Location) *PortModel {
	if ports < 1 || now.Sub(from) < leastPortDays*day*time.Hour {
		return nil
	}
	stays = slices.SortedFunc(slices.Values(stays), func(a, b Stay) int { return a.From.Compare(b.From) })
	m := learnPorts(stays, elsewhere, ports, from, now, zone)
	for i := range m.correct {
		m.correct[i] = [3]float64{0, 1, 0}
	}
	// What odds would have been worth that were learned before the last weeks.
	then := rehearsed(from, now)
	past := learnPorts(stays, elsewhere, ports, from, then, zone)
	var rows [aheads][][2]float64
	var came [aheads][]float64
	for at := then; at.Before(now.Add(-time.Hour)); at = at.Add(correctEvery) {
		there := present(stays, at)
		for i, ahead := range Aheads() {
			p := past.raw(there, 0, at, at.Add(ahead))
			rows[i] = append(rows[i], [2]float64{logit(p), logit(past.Usual(at.Add(ahead)))})
			came[i] = append(came[i], number(count(stays, at.Add(ahead)) < ports))
		}
	}
	for i := range m.correct {
		m.correct[i] = logistic(rows[i], came[i])
	}
	return m
}

// rehearsed is up to when the odds are learned that are held against what came of them.
func rehearsed(from, now time.Time) time.Time {
	then := now.Add(-correctWeeks * week * time.Hour)
	if then.Sub(from) < leastPortDays*day*time.Hour {
		then = now.Add(-now.Sub(from) / 3)
	}
	return then
}

// LearnsElsewhere reports whether LearnPorts looks at stays elsewhere, now or where it
// rehearses.
func LearnsElsewhere(stays []Stay, from, now time.Time) bool { return few(stays, rehearsed(from, now)) }

// few reports that fewer stays began before a time than are enough to learn from.
func few(stays []Stay, before time.Time) bool {
	n := 0
	for i := range stays {
		if stays[i].From.Before(before) {
			n++
		}
	}
	return n < fewStays
}

func learnPorts(stays, elsewhere []Stay, ports int, from, now time.Time, zone *time.Location) *PortModel {
	m := &PortModel{ports: ports, zone: zone}
	if zone == nil {
		m.zone = time.UTC
	}
	learn := stays
	if few(stays, now) {
		learn = slices.Concat(stays, elsewhere)
	}
	m.departures = LearnDepartures(learn, now, m.zone)
	begin := now.Add(-portsWeeks * week * time.Hour)
	if begin.Before(from) {
		begin = from
	}
	var came, free, seen [week]float64
	classes := make(map[string]int)
	for _, s := range stays {
		if !s.From.Before(begin) && s.From.Before(now) {
			came[m.hour(s.From)]++
			classes[s.Class]++
		}
	}
	for class, n := range classes {
		if n > classes[m.class] || n == classes[m.class] && class < m.class {
			m.class = class
		}
	}
	for at := begin; at.Before(now); at = at.Add(15 * time.Minute) {
		hour := m.hour(at)
		seen[hour]++
		free[hour] += number(count(stays, at) < ports)
	}
	// An hour of the week has been seen a few times only: its neighbours and the
	// same hour of like days help.
	for hour := range week {
		m.arrivals[hour] = lean(hour, func(i int) (float64, float64) { return came[i], seen[i] / 4 })
		m.free[hour] = lean(hour, func(i int) (float64, float64) { return free[i], seen[i] })
	}
	return m
}

// lean is the rate of an hour of the week: its own, and with less weight those of
// the hours beside it and of the same hours of days of the same kind.
func lean(hour int, of func(int) (float64, float64)) float64 {
	sum, seen := 0.0, 0.0
	add := func(i int, w float64) {
		a, b := of((i%week + week) % week)
		sum += w * a
		seen += w * b
	}
	for beside, w := range [...]float64{1, 0.5} {
		for _, side := range [...]int{-beside, beside} {
			add(hour+side, w)
			first, last := 0, 5
			if hour >= 5*day {
				first, last = 5, 7
			}
			for d := first; d < last; d++ {
				add(d*day+hour%day+side, 0.3*w)
			}
		}
	}
	if seen == 0 {
		return 0
	}
	return sum / seen
}

func (m *PortModel) hour(t time.Time) int {
	t = t.In(m.zone)
	return (int(t.Weekday())+6)%7*day + t.Hour()
}

// Usual is how likely a free port is at that hour of the week, whatever is now.
func (m *PortModel) Usual(t time.Time) float64 { return m.free[m.hour(t)] }

// Free is how likely it is that, `ahead` from now (one of Aheads), somebody who
// arrives finds a free port, with some of the ports out of use.
func (m *PortModel) Free(there []Stay, out int, now time.Time, ahead time.Duration) float64 {
	if out >= m.ports {
		return 0
	}
	p := m.raw(there, out, now, now.Add(ahead))
	i := max(0, slices.Index(Aheads(), ahead))
	b := m.correct[i]
	return odds(b[0] + b[1]*logit(p) + b[2]*logit(m.Usual(now.Add(ahead))))
}

// Ports is how many ports the model is of.
func (m *PortModel) Ports() int { return m.ports }

// raw is the chance that of those who are there few enough stay and few enough
// come.
func (m *PortModel) raw(there []Stay, out int, now, then time.Time) float64 {
	// dist[k]: k ports are busy; what is beyond the last is busy anyway.
	dist := make([]float64, m.ports+1)
	dist[out] = 1
	for i := range there {
		p := m.departures.Stays(&there[i], now, then)
		for k := m.ports; k > 0; k-- {
			stay := dist[k-1] * p
			if k == m.ports {
				stay += dist[k] * p
			}
			dist[k] = dist[k]*(1-p) + stay
		}
		dist[0] *= 1 - p
	}
	const step = 5 * time.Minute
	mean := 0.0
	for at := now; at.Before(then); at = at.Add(step) {
		s := Stay{From: at.Add(step / 2), Class: m.class}
		mean += m.arrivals[m.hour(at)] * step.Hours() * m.departures.Stays(&s, s.From, then)
	}
	free, cum, term := 0.0, 0.0, math.Exp(-mean)
	for k := range m.ports {
		cum += term
		term *= mean / float64(k+1)
		free += dist[m.ports-1-k] * cum
	}
	return free
}

func present(stays []Stay, at time.Time) []Stay {
	var out []Stay
	for i := firstOf(stays, at); i < len(stays) && stays[i].From.Before(at); i++ {
		if s := stays[i]; s.To.IsZero() || s.To.After(at) {
			out = append(out, s)
		}
	}
	return out
}

func count(stays []Stay, at time.Time) (n int) {
	for i := firstOf(stays, at); i < len(stays) && stays[i].From.Before(at); i++ {
		if s := &stays[i]; s.To.IsZero() || s.To.After(at) {
			n++
		}
	}
	return n
}

// firstOf is the first stay that could go on at a time.
func firstOf(stays []Stay, at time.Time) int {
	i, _ := slices.BinarySearchFunc(stays, at.Add(-longestStay*time.Minute), func(s Stay, t time.Time) int { return s.From.Compare(t) })
	return i
}

func logit(p float64) float64 {
	p = max(1-surest, min(surest, p))
	return math.Log(p / (1 - p))
}

func odds(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// logistic fits came to the two columns and a constant, leaning towards the first
// column as it is.
func logistic(rows [][2]float64, came []float64) [3]float64 {
	const lambda = 10
	b := [3]float64{0, 1, 0}
	for range 12 {
		a, g := make([]float64, 9), make([]float64, 3)
		for i := range 3 {
			prior := number(i == 1)
			a[4*i] = lambda
			g[i] = lambda * (prior - b[i])
		}
		for r, row := range rows {
			x := [3]float64{1, row[0], row[1]}
			p := odds(b[0] + b[1]*x[1] + b[2]*x[2])
			w := max(p*(1-p), 1e-6)
			for i := range 3 {
				g[i] += x[i] * (came[r] - p)
				for j := range i + 1 {
					a[3*i+j] += w * x[i] * x[j]
				}
			}
		}
		step := cholesky(a, g, 3)
		if step == nil {
			break
		}
		for i := range b {
			b[i] += max(-1, min(1, step[i]))
		}
	}
	return b
}
