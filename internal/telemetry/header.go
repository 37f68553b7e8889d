package telemetry

import (
	"math"
	"math/bits"
	"time"

	"github.com/chargewatch/chargewatch/internal/telemetry/block"
)

const (
	hourMillis  = int64(time.Hour / time.Millisecond)
	busyWatts   = 100
	busyAmperes = 1
	// No register counts faster; a jump above is a meter's fault or exchange.
	fastestWatts = 5e6
)

// Hour is what is known of a port's hour without decoding its block. Pointers
// are nil where nothing of the kind was measured.
type Hour struct {
	Start   time.Time
	Samples int
	FirstWh *float64 // energy register
	LastWh  *float64
	Wh      *float64 // counted within the hour
	MaxW    *float64
	MeanW   *float64 // mean of the minutes with data
	Minutes int      // with any data
	Busy    int      // minutes in which power flowed
}

// headerOf computes the header of an hour from its columns.
func headerOf(hour int64, columns []block.Column) Hour {
	h := Hour{Start: time.Unix(hour*3600, 0).UTC()}
	start := hour * hourMillis
	var minutes uint64
	for i, c := range columns {
		h.Samples += len(c.Times)
		if i > 0 && &c.Times[0] == &columns[i-1].Times[0] {
			continue
		}
		for _, at := range c.Times {
			minutes |= 1 << ((at - start) / 60_000)
		}
	}
	h.Minutes = bits.OnesCount64(minutes)

	if times, values := quantity(columns, energyRegister); len(times) > 0 {
		h.FirstWh, h.LastWh, h.Wh = &values[0], &values[len(values)-1], new(0.0)
		for i := 1; i < len(values); i++ {
			*h.Wh += counted(values[i-1], values[i], times[i]-times[i-1])
		}
		h.FirstWh, h.LastWh = new(*h.FirstWh), new(*h.LastWh)
	}
	times, values := quantity(columns, powerImport)
	if len(times) > 0 {
		h.power(start, times, values)
		h.Busy = busyMinutes(start, times, values, busyWatts)
	} else if times, values := quantity(columns, "Current.Import"); len(times) > 0 {
		h.Busy = busyMinutes(start, times, values, busyAmperes)
	}
	return h
}

// counted is what a register counted between two readings: nothing where it
// went back or jumped beyond what any plug can carry.
func counted(from, to float64, millis int64) float64 {
	d := to - from
	if d < 0 || d > 1000+fastestWatts*float64(millis)/float64(hourMillis) {
		return 0
	}
	return d
}

func (h *Hour) power(start int64, times []int64, values []float64) {
	var sum [60]float64
	var n [60]int
	top := values[0]
	for i, at := range times {
		m := (at - start) / 60_000
		sum[m] += values[i]
		n[m]++
		top = max(top, values[i])
	}
	mean, minutes := 0.0, 0
	for m := range sum {
		if n[m] > 0 {
			mean += sum[m] / float64(n[m])
			minutes++
		}
	}
	// Headers are for boards: whole watts.
	h.MaxW, h.MeanW = new(math.Round(top)), new(math.Round(mean/float64(minutes)))
}

func busyMinutes(start int64, times []int64, values []float64, above float64) int {
	stands := hold(times)
	var busy uint64
	for i, at := range times {
		if values[i] < above {
			continue
		}
		until := min(at+stands, start+hourMillis)
		if i+1 < len(times) {
			until = min(until, times[i+1])
		}
		for m := (at - start) / 60_000; m*60_000 < until-start; m++ {
			busy |= 1 << m
		}
	}
	return bits.OnesCount64(busy)
}

// Day is a port's day in UTC.
type Day struct {
	Port    Port
	Day     time.Time // 00:00 UTC
	Samples int
	Minutes int      // with any data
	Busy    int      // minutes in which power flowed
	Wh      *float64 // nil where no register was read
	MaxW    *float64
}

// dayOf folds the hours of a day, oldest first. before is the last hour with a
// register reading of an earlier day: what was counted since belongs to the
// day that shows it.
func dayOf(day int64, before *Hour, hours []Hour) Day {
	d := Day{Day: time.Unix(day*86400, 0).UTC()}
	last := before
	for i := range hours {
		h := &hours[i]
		d.Samples += h.Samples
		d.Minutes += h.Minutes
		d.Busy += h.Busy
		if h.MaxW != nil && (d.MaxW == nil || *h.MaxW > *d.MaxW) {
			d.MaxW = h.MaxW
		}
		if h.FirstWh == nil {
			continue
		}
		if d.Wh == nil {
			d.Wh = new(0.0)
		}
		*d.Wh += *h.Wh
		if last != nil {
			*d.Wh += counted(*last.LastWh, *h.FirstWh, h.Start.Add(time.Hour).Sub(last.Start).Milliseconds())
		}
		last = h
	}
	return d
}
