package forecast

import (
	"math"
	"slices"
)

// hourOfWeek is, for each hour t, the mean of the same hour in the weeks before,
// each week counting decay times the one after it, days off left out; NaN where
// none was observed. It knows nothing later than t-h.
func hourOfWeek(y []float64, c *calendar, h, weeks int, decay float64) []float64 {
	out := make([]float64, len(c.hour))
	for t := range out {
		sum, weight, w := 0.0, 0.0, 1.0
		for k := 1; k <= weeks; k++ {
			i := c.back(t, k*week, h)
			if i < 0 {
				break
			}
			if v := value(y, i); !math.IsNaN(v) && c.kind[i] != dayOff {
				sum += w * v
				weight += w
			}
			w *= decay
		}
		out[t] = math.NaN()
		if weight > 0 {
			out[t] = sum / weight
		}
	}
	return out
}

// medianOfWeeks is the median of the same hour in the eight weeks before.
func medianOfWeeks(y []float64, c *calendar, t, h int) float64 {
	var buf [8]float64
	v := buf[:0]
	for k := 1; k <= 8; k++ {
		if x := value(y, c.back(t, k*week, h)); !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// medianOfDays is the median of the same hour of the last three days, the newest
// twice, and of the last week: what a site does that keeps what it does.
func medianOfDays(y []float64, c *calendar, t, h int) float64 {
	newest := (h + day - 1) / day * day
	var buf [5]float64
	v := buf[:0]
	for _, hours := range [...]int{newest, newest, newest + day, newest + 2*day, week} {
		if x := value(y, c.back(t, hours, h)); !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// likeDays is the mean of the same hour of the last six weeks' days of the same
// kind: Monday to Thursday are one, each other day is its own.
func likeDays(y []float64, c *calendar, h int) []float64 {
	kind := make([]uint8, len(c.hour))
	for t, hour := range c.hour {
		kind[t] = uint8(max(3, hour/day))
	}
	var weight [43]float64
	for d := range weight {
		weight[d] = math.Pow(0.98, float64(d))
	}
	out := make([]float64, len(c.hour))
	for t := range out {
		sum, all := 0.0, 0.0
		for d := (h + day - 1) / day; d < len(weight); d++ {
			i := t - d*day
			if i >= 0 && c.shift[i] != c.shift[t] {
				i = c.back(t, d*day, h)
			}
			if i < 0 {
				break
			}
			if kind[i] != kind[t] {
				continue
			}
			if v := value(y, i); !math.IsNaN(v) {
				sum += weight[d] * v
				all += weight[d]
			}
		}
		out[t] = math.NaN()
		if all > 0 {
			out[t] = sum / all
		}
	}
	return out
}

// trailing is the mean of the last values up to and with t.
func trailing(y []float64, hours int) []float64 {
	out := make([]float64, len(y))
	sum := 0.0
	for t, v := range y {
		sum += v
		if t >= hours {
			sum -= y[t-hours]
		}
		out[t] = sum / float64(min(t+1, hours))
	}
	return out
}

// smoothed is exponential smoothing with a season of the day and one of the week.
// How fast it learns is what would have been best before `from`.
func smoothed(y []float64, c *calendar, n, h, from int) []float64 {
	var best []float64
	least := math.Inf(1)
	for _, level := range [...]float64{0.01, 0.03} {
		for _, daily := range [...]float64{0.02, 0.06} {
			for _, weekly := range [...]float64{0.05, 0.15} {
				out, err := smooth(y, c, n, h, from, level, daily, weekly)
				if err < least || best == nil {
					best, least = out, err
				}
			}
		}
	}
	return best
}

func smooth(y []float64, c *calendar, n, h, from int, level, daily, weekly float64) (out []float64, err float64) {
	var ofDay [day]float64
	var ofWeek [week]float64
	base, seen, judged := 0.0, 0, 0
	out = make([]float64, n)
	for t := range out {
		out[t] = math.NaN()
	}
	for i := range n {
		if v := value(y, i); !math.IsNaN(v) {
			hour := c.hour[i]
			d, w := daily, weekly
			if seen < 4*week { // the seasons are not known yet
				d, w = max(d, 0.2), max(w, 0.3)
			}
			if seen < week {
				base += (v - base) / float64(seen+1)
			}
			wrong := v - base - ofDay[hour%day] - ofWeek[hour]
			base += level * wrong
			ofDay[hour%day] += d * wrong
			ofWeek[hour] += w * wrong
			seen++
		}
		t := i + h
		if t >= n || seen <= week {
			continue
		}
		hour := c.hour[t]
		out[t] = max(0, base+ofDay[hour%day]+ofWeek[hour])
		if v := value(y, t); t < from && seen > 3*week && !math.IsNaN(v) {
			err += math.Abs(out[t] - v)
			judged++
		}
	}
	return out, err / float64(max(judged, 1))
}
