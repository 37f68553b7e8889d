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

// rehearse walks from hour `from` to n as if each were now, fitting again each
// week.
func rehearse(s *Series, c *calendar, n, h, from int, staying []float64) *said {
	out := &said{}
	for m := range out {
		out[m] = make([]float64, n)
		for t := range out[m] {
			out[m][t] = math.NaN()
		}
	}
	x := newContext(s, c, n, h, staying)
	for t := from; t < n; t++ {
		out[Last][t] = value(s.Y, t-h)
		out[LastWeek][t] = value(s.Y, c.back(t, week, h))
		out[WeekMean][t] = x.usual[t]
		out[WeekMedian][t] = medianOfWeeks(s.Y, c, t, h)
		out[RecentDays][t] = medianOfDays(s.Y, c, t, h)
	}
	copy(out[Smoothed][from:], smoothed(s.Y, c, n, h, from)[from:])
	out.departures(s, x, n, from)
	k := newClock()
	out.regressions(s, x, k, n, from)
	out.root(s, c, k, n, h, from, staying)
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

func (out *said) departures(s *Series, x *context, n, from int) {
	d := &departure{context: x, long: hourOfWeek(s.Y, x.cal, n, x.h, 20, 0.97), like: likeDays(s.Y, x.cal, n, x.h)}
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

func (out *said) root(s *Series, c *calendar, k *clock, n, h, from int, staying []float64) {
	roots := func(v []float64) []float64 {
		if v == nil {
			return nil
		}
		q := make([]float64, len(v))
		for i, x := range v {
			q[i] = math.Sqrt(max(x, 0))
		}
		return q
	}
	q := &Series{Y: roots(s.Y), Late: roots(s.Late)}
	d := newDesign(newContext(q, c, n, h, roots(staying)))
	fresh, sums := newClocked(k, d.other), newNormal(clockWidth+d.other)
	buf := make([]float64, 0, d.other)
	var b fitted
	walk(q.Y, n, h, from, func(t int) {
		if r, ok := d.row(t, buf); ok {
			fresh.add(c.hour[t], r, q.Y[t], 1)
		}
	}, func() {
		fresh.spread(sums)
		b.take(k, sums.solve(shrink))
	}, func(t int) {
		if r, ok := d.row(t, buf); ok && b.ok {
			v := max(0, b.says(c.hour[t], r))
			out[RegressionRoot][t] = v * v
		}
	})
}
