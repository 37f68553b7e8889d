package forecast

import "math"

// Model is one way to say what an hour will be.
type Model int

// The models.
const (
	Last             Model = iota // the last known hour
	LastWeek                      // the same hour last week
	WeekMean                      // hour-of-week mean of eight weeks
	WeekMedian                    // hour-of-week median of eight weeks
	RecentDays                    // median of the last days' same hour
	Smoothed                      // exponential smoothing, day and week
	Departure                     // usual week and how far off it things are
	Regression                    // clock, days off, last hours: least squares
	RegressionRecent              // the same, the last weeks counting most
	RegressionMedian              // the same, for the least absolute error
	RegressionRoot                // the same, of the square root: levels multiply
	Models           = int(RegressionRoot) + 1
)

// Name is what the API calls a model.
func (m Model) Name() string {
	return [...]string{"last", "lastWeek", "weekMean", "weekMedian", "recentDays", "smoothed", "departure",
		"regression", "regressionRecent", "regressionMedian", "regressionRoot"}[m]
}

const (
	shrink       = 10  // of the regressions, in rows of unit variance
	shrinkRecent = 100 // fewer rows count, so more of it
	fadeRecent   = 0.8 // a week
	fadeMedian   = 0.95
)

// said is what each model would have said of each hour, h hours ahead; NaN where
// it had nothing to say.
type said [Models][]float64

// past is what the horizons of a series have in common: each learns what
// another has learned.
type past struct {
	*Series
	cal           *calendar // of the hours to come too
	clock         *clock
	habits, roots *habits
	long          []float64 // hour-of-week mean of twenty weeks
	learned       weeks
}

func newPast(s *Series, hours int) *past {
	c := s.calendar(hours)
	return &past{Series: s, cal: c, clock: newClock(), habits: newHabits(s.Y, s.Late, c), roots: newHabits(roots(s.Y), roots(s.Late), c),
		long: longUsual(s.Y, c, 1), learned: make(weeks)}
}

func longUsual(y []float64, c *calendar, h int) []float64 { return hourOfWeek(y, c, h, 20, 0.97) }

func (p *past) longUsual(h int) []float64 {
	if h > week-day {
		return longUsual(p.Y, p.cal, h)
	}
	return p.long
}

func roots(v []float64) []float64 {
	if v == nil {
		return nil
	}
	q := make([]float64, len(v))
	for i, x := range v {
		q[i] = math.Sqrt(max(x, 0))
	}
	return q
}

// rehearse walks from hour `from` to n as if each were now, fitting again each
// week.
func (p *past) rehearse(n, h, from int, staying []float64) *said {
	s, c := p.Series, p.cal
	out := &said{}
	for m := range out {
		out[m] = make([]float64, n)
		for t := range out[m] {
			out[m][t] = math.NaN()
		}
	}
	x := p.habits.at(h, staying)
	for t := from; t < n; t++ {
		out[Last][t] = value(s.Y, t-h)
		out[LastWeek][t] = value(s.Y, c.back(t, week, h))
		out[WeekMean][t] = x.usual[t]
		out[WeekMedian][t] = medianOfWeeks(s.Y, c, t, h)
		out[RecentDays][t] = medianOfDays(s.Y, c, t, h)
	}
	copy(out[Smoothed][from:], smoothed(s.Y, c, n, h, from)[from:])
	out.departures(s, x, p.longUsual(h), n, from)
	out.regressions(s, x, p.clock, n, from)
	out.root(p.roots.at(h, roots(staying)), p.clock, n, from)
	for m := range out {
		for t := from; t < n; t++ {
			out[m][t] = within(out[m][t], s.Most)
		}
	}
	return out
}

func within(v, most float64) float64 {
	v = max(v, 0)
	if most > 0 {
		v = min(v, most)
	}
	return v
}

// walk calls learn with the rows that become known, then fit, then say for each
// hour of the week that follows.
func walk(y []float64, n, h, from int, learn func(t int), fit func(), say func(t int)) {
	next := 0
	for t := from; t < n; t++ {
		if (t-from)%week == 0 {
			for ; next <= t-h && next < len(y); next++ {
				if !math.IsNaN(y[next]) {
					learn(next)
				}
			}
			fit()
		}
		say(t)
	}
}

func (out *said) departures(s *Series, x *context, long []float64, n, from int) {
	d := &departure{context: x, long: long, like: likeDays(s.Y, x.cal, x.h)}
	sums := newNormal(departureWidth)
	buf := make([]float64, 0, departureWidth)
	var b []float64
	walk(s.Y, n, x.h, from, func(t int) {
		if r, ok := d.row(t, buf); ok {
			sums.add(r, s.Y[t]-x.usual[t], 1)
		}
	}, func() { b = sums.solve(shrink) }, func(t int) {
		if r, ok := d.row(t, buf); ok && b != nil {
			out[Departure][t] = x.usual[t] + dot(r, b)
		}
	})
}

func (out *said) regressions(s *Series, x *context, k *clock, n, from int) {
	d := newDesign(x)
	p := clockWidth + d.other
	fresh, weighed := newClocked(k, d.other), newClocked(k, d.other)
	lesson, all, recent, median := newNormal(p), newNormal(p), newNormal(p), newNormal(p)
	buf := make([]float64, 0, d.other)
	var byAll, byRecent, byMedian fitted
	// The median is fitted by weighing rows down that are far off, as far off as
	// they were from the fit of the week before.
	sum, seen := 0.0, 0.0
	walk(s.Y, n, x.h, from, func(t int) {
		r, ok := d.row(t, buf)
		if !ok {
			return
		}
		hour := x.cal.hour[t]
		fresh.add(hour, r, s.Y[t], 1)
		weight := 1.0
		if byMedian.ok {
			off := math.Abs(s.Y[t] - byMedian.says(hour, r))
			sum += off
			seen++
			weight = sum / seen / max(off, 0.3*sum/seen, 1e-9)
		}
		weighed.add(hour, r, s.Y[t], weight)
	}, func() {
		lesson.clear()
		fresh.spread(lesson)
		all.join(lesson)
		recent.fade(fadeRecent)
		recent.join(lesson)
		weighed.spread(median)
		byAll.take(k, all.solve(shrink))
		byRecent.take(k, recent.solve(shrinkRecent))
		byMedian.take(k, median.solve(shrink))
		median.fade(fadeMedian)
	}, func(t int) {
		r, ok := d.row(t, buf)
		if !ok {
			return
		}
		for i, b := range [...]*fitted{&byAll, &byRecent, &byMedian} {
			if b.ok {
				out[int(Regression)+i][t] = b.says(x.cal.hour[t], r)
			}
		}
	})
}

func (out *said) root(x *context, k *clock, n, from int) {
	d := newDesign(x)
	fresh, sums := newClocked(k, d.other), newNormal(clockWidth+d.other)
	buf := make([]float64, 0, d.other)
	var b fitted
	walk(x.y, n, x.h, from, func(t int) {
		if r, ok := d.row(t, buf); ok {
			fresh.add(x.cal.hour[t], r, x.y[t], 1)
		}
	}, func() {
		fresh.spread(sums)
		b.take(k, sums.solve(shrink))
	}, func(t int) {
		if r, ok := d.row(t, buf); ok && b.ok {
			v := max(0, b.says(x.cal.hour[t], r))
			out[RegressionRoot][t] = v * v
		}
	})
}
