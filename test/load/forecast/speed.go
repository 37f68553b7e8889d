package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/chargewatch/chargewatch/internal/planning/forecast"
)

// speed is how long fits, back-tests of eight weeks and forecasts take, of busy
// ports, energy and power, over all horizons.
type speed struct {
	Sites       int     `json:"sites"`
	Weeks       int     `json:"weeks"`
	Seconds     float64 `json:"seconds"`
	Processor   float64 `json:"processorSeconds"`
	OneSiteMs   float64 `json:"oneSiteMs"` // three quantities, alone on one core
	OneTargetMs float64 `json:"oneTargetMs"`
}

// drawn is half a year of a site of eight ports that people come to by the clock.
func drawn(seed uint64) []stay {
	r := rand.New(rand.NewPCG(seed, 1))
	from := day(2026, 1, 5)
	var out []stay
	ports := make([]time.Time, 8)
	for t := from; t.Before(from.AddDate(0, 0, 26*7)); t = t.Add(5 * time.Minute) {
		rate := 0.12 * (1 + math.Sin(2*math.Pi*(float64(t.Hour())-9)/24))
		if wd := t.Weekday(); wd == time.Saturday || wd == time.Sunday {
			rate *= 0.6
		}
		if r.Float64() > rate {
			continue
		}
		for i := range ports {
			if ports[i].After(t) {
				continue
			}
			end := t.Add(time.Duration(10+r.ExpFloat64()*40) * time.Minute)
			ports[i] = end
			out = append(out, stay{site: "drawn", post: fmt.Sprint(i), from: t, to: end, kW: 50, kWh: end.Sub(t).Hours() * 35})
			break
		}
	}
	return out
}

func (res *result) measure(out io.Writer, sites int) {
	from, to := day(2026, 1, 5), day(2026, 1, 5).AddDate(0, 0, 26*7)
	const kinds = 8
	var sets [kinds][]place
	for i := range sets {
		sets[i] = collect("drawn", drawn(uint64(i)), from, to, to, time.UTC)
		power := sets[i][1]
		power.target = "power"
		sets[i] = append(sets[i], power)
	}
	do := func(set []place) {
		for _, p := range set {
			if _, err := forecast.Make(p.s); err != nil {
				panic(err) // the drawn site has half a year
			}
		}
	}
	one := math.Inf(1)
	for i := range 5 {
		began := time.Now()
		do(sets[i])
		one = min(one, time.Since(began).Seconds()*1000)
	}
	began, used := time.Now(), processor()
	var wg sync.WaitGroup
	next := make(chan int)
	for range 2 {
		wg.Go(func() {
			for i := range next {
				do(sets[i%kinds])
			}
		})
	}
	for i := range sites {
		next <- i
	}
	close(next)
	wg.Wait()
	res.Speed = &speed{Sites: sites, Weeks: 26, Seconds: time.Since(began).Seconds(), Processor: processor() - used, OneSiteMs: one, OneTargetMs: one / 3}
	fmt.Fprintf(out, "\n## Speed\n\n%d sites with 26 weeks, three quantities each, fit, back-test of eight weeks and forecast of a week, on two cores: %.1f s, of which the processor worked %.1f s. One site alone: %.0f ms, one quantity of it: %.0f ms.\n",
		sites, res.Speed.Seconds, res.Speed.Processor, one, one/3)
}

// processor is the time that this process has had one, in seconds.
func processor() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return math.NaN()
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}
