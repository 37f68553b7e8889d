package pattern

import (
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// Window is some hours of some days of the week in which a place is used more
// than at other times.
type Window struct {
	Weekdays         []int // 1 is Monday
	FromHour, ToHour int   // ToHour is not included; 24 is midnight
	Occupied         float64
	EnergyShare      float64 // of all energy; NaN if there was none
	Weeks            int     // that were observed in these hours
	StableWeeks      int     // in which it stood out too: a quarter above the mean of the week
}

// maxWindows is how many windows are told.
const maxWindows = 5

// stands is how far above the mean of its week an hour stands out.
const stands = 1.25

// Windows finds the windows in which a place is used most, the most used first.
//
// Days of the week whose hours differ by no more than the weeks differ among
// themselves are taken together. In each such group of days, an hour stands out
// when its share lies in the upper half between the mean of the week and the
// highest hour, and above the mean by a quarter; neighbouring hours that stand
// out make a window.
func Windows(g *rollup.Grid, zone *time.Location) []Window {
	sums, weeks := weekly(g, zone)
	var all tally
	for h := range sums {
		all.join(&sums[h])
	}
	mean := all.value(Occupied)
	groups := groupDays(weeks)
	profiles := make([][24]float64, len(groups))
	highest := 0.0
	for i, days := range groups {
		for hour := range 24 {
			var t tally
			for _, d := range days {
				t.join(&sums[d*24+hour])
			}
			profiles[i][hour] = t.value(Occupied)
			if profiles[i][hour] > highest {
				highest = profiles[i][hour]
			}
		}
	}
	threshold := max(mean*stands, mean+(highest-mean)/2)
	if math.IsNaN(threshold) || highest <= mean {
		return nil
	}
	var out []Window
	for i, days := range groups {
		for hour := 0; hour < 24; hour++ {
			if !(profiles[i][hour] >= threshold) { // NaN does not stand out
				continue
			}
			to := hour + 1
			for to < 24 && profiles[i][to] >= threshold {
				to++
			}
			out = append(out, window(days, hour, to, sums, weeks, &all))
			hour = to
		}
	}
	slices.SortStableFunc(out, func(a, b Window) int {
		switch {
		case a.Occupied > b.Occupied:
			return -1
		case a.Occupied < b.Occupied:
			return 1
		}
		return 0
	})
	return out[:min(len(out), maxWindows)]
}

func (t *tally) join(o *tally) {
	for s := range t.Millis {
		t.Millis[s] += o.Millis[s]
	}
	t.Starts += o.Starts
	t.MilliWh += o.MilliWh
	t.allBusy += o.allBusy
	t.open += o.open
	t.hours += o.hours
}

func window(days []int, from, to int, sums []tally, weeks []map[int]*tally, all *tally) Window {
	w := Window{FromHour: from, ToHour: to}
	var t tally
	inside, whole := make(map[int]*tally), make(map[int]*tally)
	into := func(m map[int]*tally, week int, x *tally) {
		if m[week] == nil {
			m[week] = new(tally)
		}
		m[week].join(x)
	}
	for h := range hoursOfWeek {
		for week, x := range weeks[h] {
			into(whole, week, x)
		}
	}
	for _, d := range days {
		w.Weekdays = append(w.Weekdays, d+1)
		for hour := from; hour < to; hour++ {
			t.join(&sums[d*24+hour])
			for week, x := range weeks[d*24+hour] {
				into(inside, week, x)
			}
		}
	}
	w.Occupied, w.EnergyShare = t.value(Occupied), ratio(float64(t.MilliWh), float64(all.MilliWh))
	w.Weeks = len(inside)
	for week, x := range inside {
		if x.value(Occupied) >= stands*whole[week].value(Occupied) && x.Occupied() > 0 {
			w.StableWeeks++
		}
	}
	return w
}

// alike is the mean squared difference of two days' hours, in units of what
// chance would make of them, up to which they are one kind of day. By chance
// alone it is one.
const alike = 2.0

// groupDays joins days of the week that are alike, the most alike first.
func groupDays(weeks []map[int]*tally) [][]int {
	var groups [][]int
	for d := range 7 {
		groups = append(groups, []int{d})
	}
	for len(groups) > 1 {
		best, a, b := math.Inf(1), 0, 0
		for i := range groups {
			for j := i + 1; j < len(groups); j++ {
				if x := distance(groups[i], groups[j], weeks); x < best {
					best, a, b = x, i, j
				}
			}
		}
		if best > alike {
			break
		}
		groups[a] = append(groups[a], groups[b]...)
		slices.Sort(groups[a])
		groups = slices.Delete(groups, b, b+1)
	}
	return groups
}

// distance compares the hours of two groups of days.
func distance(a, b []int, weeks []map[int]*tally) float64 {
	total, n := 0.0, 0
	for hour := range 24 {
		ma, va, na := hourOf(a, hour, weeks)
		mb, vb, nb := hourOf(b, hour, weeks)
		if na == 0 || nb == 0 {
			continue
		}
		// One week tells nothing of chance: shares of a few ports then.
		least := 1e-4 / float64(min(na, nb))
		d := ma - mb
		total += d * d / max(va/float64(na)+vb/float64(nb), least)
		n++
	}
	if n == 0 {
		return math.Inf(1)
	}
	return total / float64(n)
}

// hourOf is the mean of an hour's weekly values, their variance and number.
func hourOf(days []int, hour int, weeks []map[int]*tally) (mean, variance float64, n int) {
	var values []float64
	for _, d := range days {
		for _, x := range weeks[d*24+hour] {
			if v := x.value(Occupied); !math.IsNaN(v) {
				values = append(values, v)
			}
		}
	}
	if len(values) == 0 {
		return 0, 0, 0
	}
	slices.Sort(values) // maps have no order and sums of floats have
	for _, v := range values {
		mean += v
	}
	mean /= float64(len(values))
	for _, v := range values {
		variance += (v - mean) * (v - mean)
	}
	if len(values) > 1 {
		variance /= float64(len(values) - 1)
	}
	return mean, variance, len(values)
}

// Prime are the six hours of the day, one after the other, in which a place is
// used most.
type Prime struct {
	FromHour, ToHour int // ToHour is not included; it may lie behind midnight and be smaller
	Occupied         float64
}

// primeHours is how long prime time is.
const primeHours = 6

// PrimeTime finds the prime time; false if nothing was observed.
func PrimeTime(g *rollup.Grid, zone *time.Location) (Prime, bool) {
	var hours [24]tally
	c := clock{zone: zone}
	for i := range g.Cells {
		if g.Counted[i] == 0 {
			continue
		}
		c.at(g.At(i))
		hours[c.hour].add(g, i)
	}
	best := Prime{Occupied: -1}
	for from := range 24 {
		var t tally
		for k := range primeHours {
			t.join(&hours[(from+k)%24])
		}
		if v := t.value(Occupied); v > best.Occupied {
			best = Prime{FromHour: from, ToHour: (from+primeHours-1)%24 + 1, Occupied: v}
		}
	}
	return best, best.Occupied >= 0
}

// Peak is the highest power of a month: the mean of its highest quarter hour.
type Peak struct {
	Month string // 2026-09
	W     float64
	At    time.Time
}

// Peaks finds the highest quarter hour of each month of a place. A quarter hour
// that is not over does not count.
func Peaks(g *rollup.Grid, zone *time.Location) []Peak {
	var out []Peak
	for i := range g.Cells {
		if g.Counted[i] < int64(rollup.CellLength/time.Millisecond) {
			continue
		}
		at := g.At(i)
		month := at.In(zone).Format("2006-01")
		w := g.Cells[i].PowerW()
		switch n := len(out); {
		case n == 0 || out[n-1].Month != month:
			out = append(out, Peak{Month: month, W: w, At: at})
		case w > out[n-1].W:
			out[n-1].W, out[n-1].At = w, at
		}
	}
	return out
}
