package forecast

import (
	"math"
	"slices"
)

// habits is what is known of each hour of a series beside the clock, however far
// ahead one looks.
type habits struct {
	y       []float64
	cal     *calendar
	usual   []float64 // hour-of-week mean of eight weeks, of the hours to come too
	usual4  []float64 // of four
	filled  []float64 // y, gaps filled with what was usual then
	late    []float64
	strange []float64 // how far hours were from what was usual
	day     []float64 // trailing means of filled
	week    []float64
	oddDay  []float64 // trailing means of strange
	oddWeek []float64
}

func newHabits(y, late []float64, c *calendar) *habits {
	x := &habits{y: y, cal: c, usual: hourOfWeek(y, c, 1, 8, 0.9), usual4: hourOfWeek(y, c, 1, 4, 1)}
	x.filled, x.strange, x.late = make([]float64, len(y)), make([]float64, len(y)), make([]float64, len(y))
	sum, seen := 0.0, 0.0
	for t, v := range y {
		if math.IsNaN(v) {
			if v = x.usual[t]; math.IsNaN(v) {
				v = sum / max(seen, 1)
			}
		} else {
			sum += v
			seen++
		}
		x.filled[t] = v
		if !math.IsNaN(x.usual[t]) {
			x.strange[t] = v - x.usual[t]
		}
		if x.late[t] = value(late, t); math.IsNaN(x.late[t]) {
			x.late[t] = v
		}
	}
	x.day, x.week = trailing(x.filled, day), trailing(x.filled, week)
	x.oddDay, x.oddWeek = trailing(x.strange, day), trailing(x.strange, week)
	return x
}

// context is what models of one horizon know of each hour beside the clock.
type context struct {
	*habits
	h       int
	usual   []float64 // as of habits, known at t-h
	usual4  []float64
	staying []float64 // of t, from those there at the start of t-h+1; may be nil
}

// at is what is known h hours ahead. A week back is never too late for a shorter
// horizon, whatever the clocks do.
func (x *habits) at(h int, staying []float64) *context {
	out := &context{habits: x, h: h, usual: x.usual, usual4: x.usual4, staying: staying}
	if h > week-day {
		out.usual, out.usual4 = hourOfWeek(x.y, x.cal, h, 8, 0.9), hourOfWeek(x.y, x.cal, h, 4, 1)
	}
	return out
}

// Harmonics of the day, for workdays and weekends apart, and of the week.
const (
	daily  = 6
	weekly = 3
)

// design makes the rows of the regressions: the clock, days off, the last known
// hours, how far the last hours and days were from the usual week, that week
// itself, and how many of those who are there will stay.
type design struct {
	*context
	lags  []int
	other int // columns beside those of the clock
}

func newDesign(x *context) *design {
	d := &design{context: x}
	h := x.h
	newest := (h + day - 1) / day * day
	lags := []int{h, h + 1, newest, newest + day, week, 2 * week}
	if h < day {
		lags = append(lags, h+2)
	}
	for _, lag := range lags {
		if lag >= h && !slices.Contains(d.lags, lag) {
			d.lags = append(d.lags, lag)
		}
	}
	d.other = len(d.lags) + 14
	if x.staying != nil {
		d.other++
	}
	return d
}

// row appends what is known of hour t at t-h, beside the clock, to x, which is
// empty; false if too little is.
func (d *design) row(t int, x []float64) ([]float64, bool) {
	o := t - d.h
	if o < day || math.IsNaN(d.usual[t]) {
		return x, false
	}
	hour := d.cal.hour[t]
	for _, lag := range d.lags {
		i := t - lag
		if lag%day == 0 {
			i = d.cal.back(t, lag, d.h)
		}
		if i < 0 { // before the first hour: a later one of the same hour of the day
			i = min(o, (i%day+day)%day)
		}
		x = append(x, d.filled[i])
	}
	sin, cos := d.cal.round[hour%day][0], d.cal.round[hour%day][1]
	kind := d.cal.kind[t]
	late := d.late[o]
	x = append(x, d.usual[t], d.usual4[t], d.day[o], d.week[o], d.oddDay[o], d.oddWeek[o], d.strange[o],
		number(kind == dayOff), number(kind == dayOff)*d.usual[t], number(kind == dayAfter), number(kind == bridge),
		late, late*sin, late*cos)
	if d.staying != nil {
		v := value(d.staying, t)
		if math.IsNaN(v) {
			v = late
		}
		x = append(x, v)
	}
	return x, true
}

// departure fits only how far an hour will be from the usual week: few columns,
// so that it serves sites with little past.
type departure struct {
	*context
	long, like []float64
}

const departureWidth = 14

func (d *departure) row(t int, x []float64) ([]float64, bool) {
	o := t - d.h
	i := t - (d.h+day-1)/day*day
	if i < 0 || o < day || math.IsNaN(d.usual[t]) || math.IsNaN(d.like[t]) {
		return x, false
	}
	round := d.cal.round[d.cal.hour[t]%day]
	sin, cos := round[0], round[1]
	u := d.usual[t]
	return append(x, 1, d.long[t]-u, d.usual4[t]-u, d.like[t]-u,
		d.strange[o], d.strange[o]*sin, d.strange[o]*cos, d.strange[i],
		d.oddDay[o], d.oddDay[o]*sin, d.oddDay[o]*cos, d.oddWeek[o], d.oddWeek[o]*sin, d.oddWeek[o]*cos), true
}
